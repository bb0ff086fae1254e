"""What can stand in a scene: shapes, colours, receptacles, landmarks, sizes."""

from __future__ import annotations

SHAPES: tuple[str, ...] = ("cube", "ball", "cylinder", "box")
COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.82, 0.10, 0.08),
    "blue": (0.10, 0.24, 0.80),
    "green": (0.10, 0.58, 0.18),
    "yellow": (0.92, 0.80, 0.08),
    "purple": (0.50, 0.14, 0.64),
    "orange": (0.95, 0.46, 0.06),
}
# Pairs that no training scene ever holds; the `unseen-pairs` split asks for them.
HELD_OUT_PAIRS: frozenset[tuple[str, str]] = frozenset(
    {
        ("red", "ball"),
        ("blue", "box"),
        ("green", "cube"),
        ("yellow", "cylinder"),
    }
)
TABLE_RECEPTACLES: tuple[str, ...] = ("bowl", "tray")
FLOOR_RECEPTACLES: tuple[str, ...] = ("bin",)
RECEPTACLES: tuple[str, ...] = TABLE_RECEPTACLES + FLOOR_RECEPTACLES
LANDMARKS: tuple[str, ...] = ("door", "chair", "shelf", "plant", "person")

# Half extents [m]: (x, y, z) of the body's bounding box, before the size factor.
HALF_SIZE: dict[str, tuple[float, float, float]] = {
    "cube": (0.0225, 0.0225, 0.0225),
    "ball": (0.0255, 0.0255, 0.0255),
    "cylinder": (0.022, 0.022, 0.040),
    "box": (0.020, 0.020, 0.060),
    "bowl": (0.080, 0.080, 0.028),
    "tray": (0.120, 0.085, 0.012),
    "bin": (0.150, 0.150, 0.225),
    "door": (0.04, 0.42, 1.00),
    "chair": (0.21, 0.21, 0.43),
    "shelf": (0.14, 0.40, 0.75),
    "plant": (0.16, 0.16, 0.45),
    "person": (0.16, 0.24, 0.85),
}
# Height [m] of the point by which a landmark is known, over the floor.
LANDMARK_POINT_Z: dict[str, float] = {
    "door": 0.5,
    "chair": 0.45,
    "shelf": 0.5,
    "plant": 0.4,
    "person": 0.7,
    "table": 0.0,  # tables: their own top, see `World.truth`
}


def training_pairs() -> tuple[tuple[str, str], ...]:
    """All (colour, shape) pairs that training may use."""
    return tuple(
        (colour, shape)
        for colour in COLOURS
        for shape in SHAPES
        if (colour, shape) not in HELD_OUT_PAIRS
    )


def all_pairs() -> tuple[tuple[str, str], ...]:
    """All (colour, shape) pairs."""
    return tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
