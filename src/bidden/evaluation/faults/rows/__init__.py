"""The rows of the fault matrix, by theme; each is one small function."""
