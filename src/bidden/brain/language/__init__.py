"""From words to intent, things and amounts."""
