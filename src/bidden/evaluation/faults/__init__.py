"""Injects each fault of the matrix into a running system and checks what it does."""
