"""Where before what: learning to find what words name. Run `python -m` on it."""
