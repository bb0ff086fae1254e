"""Flags that several commands share; importing this costs nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

POLICIES = ("compact", "expert", "random")
PRECISIONS = ("int8", "fp32")


def seed(text: str) -> int:
    """A seed from the command line.

    Raises:
        ArgumentTypeError: not a whole number from 0 up.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 up, got '{text}'")
    return int(text)


def add_session_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that say which robot, world and brain."""
    group = parser.add_argument_group("world and brain")
    group.add_argument(
        "--seed", type=seed, default=0, metavar="N",
        help="which random room to stand in (default 0)",
    )  # fmt: skip
    group.add_argument(
        "--scene", type=Path, metavar="FILE",
        help="stand in the room that a TOML file describes instead",
    )  # fmt: skip
    group.add_argument(
        "--policy", choices=POLICIES, default="compact",
        help="compact: the trained network; expert: a script that sees the truth; "
        "random: noise, to see the shield at work (default compact)",
    )  # fmt: skip
    group.add_argument(
        "--precision", choices=PRECISIONS, default="int8",
        help="which weights the network runs on (default int8)",
    )  # fmt: skip
    group.add_argument(
        "--calibration", type=Path, metavar="FILE",
        help="what is usual for the policy, from `bidden calibrate` (default: what is "
        "shipped for compact, nothing for the others)",
    )  # fmt: skip


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that say what is left behind and what is printed."""
    group = parser.add_argument_group("what is left behind")
    group.add_argument(
        "--video", type=Path, metavar="FILE", help="film the run into an .mp4 file"
    )
    group.add_argument(
        "--record", type=Path, metavar="DIR",
        help="record every message into an .mcap file in this folder",
    )  # fmt: skip
    group.add_argument(
        "--json", action="store_true",
        help="print one JSON line with the result; the telling goes to stderr",
    )  # fmt: skip
    group.add_argument(
        "--quiet", action="store_true", help="print what the robot says and no more"
    )
