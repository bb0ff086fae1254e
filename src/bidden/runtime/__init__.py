"""Clocks, cache of fetched files, recorder."""
