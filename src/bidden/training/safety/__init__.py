"""Chances of contact and of a fall, fitted on what the simulator's truth says."""
