"""Processes of ours beside this one: how they start, speak, and show that they live."""
