"""The shield: verdicts, limits, ladder."""
