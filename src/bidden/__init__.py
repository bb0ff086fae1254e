"""Bidden: plain language in, checked humanoid commands out."""

__version__ = "0.1.0"
