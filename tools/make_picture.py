"""Make the README's picture from the video of a demo: moments side by side.

make demo
.venv/bin/python tools/make_picture.py runs/demo/demo.mp4 docs/pictures/demo.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from imageio_ffmpeg import count_frames_and_secs, read_frames
from PIL import Image

WIDTH_PX = 1200


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument(
        "--at", type=float, nargs="+", default=(0.12, 0.36, 0.88),
        help="moments, as shares of the video",
    )  # fmt: skip
    args = parser.parse_args()
    total, _ = count_frames_and_secs(str(args.video))
    wanted = {int(share * (total - 1)) for share in args.at}
    frames = read_frames(str(args.video))
    width, height = next(frames)["size"]
    shots = [
        np.frombuffer(data, np.uint8).reshape(height, width, 3)
        for k, data in enumerate(frames)
        if k in wanted
    ]
    strip = Image.fromarray(np.concatenate(shots, axis=1))
    scale = WIDTH_PX / strip.width
    strip = strip.resize((WIDTH_PX, int(strip.height * scale)))
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    strip.save(args.picture, optimize=True)
    print(f"{args.picture}: {len(shots)} moments of {total} frames")


if __name__ == "__main__":
    main()
