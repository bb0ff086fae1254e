"""Trained networks and their contracts (data only)."""
