"""Sentences that train the gate; data only. Read by `training.language.lines`."""
