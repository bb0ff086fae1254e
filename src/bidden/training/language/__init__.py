"""Training of the language heads: `python -m bidden.training.language`."""
