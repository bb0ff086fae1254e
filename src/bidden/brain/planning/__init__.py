"""From what was asked to a run of goals."""
