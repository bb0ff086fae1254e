"""Bodies and worlds behind the ports."""
