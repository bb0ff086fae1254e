"""From tokens to orders: items, segments, and what their verbs mean."""
