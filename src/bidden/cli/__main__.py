"""`python -m bidden.cli` is `bidden`."""

from .main import main

if __name__ == "__main__":
    raise SystemExit(main())
