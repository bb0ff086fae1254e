"""Suites that run the whole system and count."""
