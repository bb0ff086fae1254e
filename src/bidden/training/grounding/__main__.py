"""Trains grounding; see `train`."""

from .train import main

main()
