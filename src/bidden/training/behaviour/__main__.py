"""`python -m bidden.training.behaviour`."""

from .train import main

main()
