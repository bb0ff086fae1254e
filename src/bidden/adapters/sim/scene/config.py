"""Scenes as values: what stands where; read from files, checked, never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from bidden.core.errors import ConfigError, unknown_name

from .catalog import COLOURS, LANDMARKS, RECEPTACLES, SHAPES

Kind = Literal["object", "receptacle", "landmark", "table"]
FIRST_EVALUATION_SEED = 900_000
TABLE_THICKNESS = 0.03  # [m]


class ThingConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """One thing. Positions are in W; z is the bottom of the thing."""

    name: str
    kind: Kind
    shape: str  # a name of the catalog, or "table"
    colour: str = ""  # a name of the catalog; "" for landmarks and tables
    position: tuple[float, float, float]  # [m]
    yaw: float = 0.0  # [rad]; furniture faces along its -x
    half_size: tuple[float, float, float]  # [m]
    mass: float = 0.1  # [kg], objects and table receptacles
    friction: float = 1.0  # sliding friction coefficient
    rgb: tuple[float, float, float] = (0.6, 0.6, 0.6)
    texture: int = -1  # number of a procedural texture, -1 plain
    support: str = ""  # name of the table it stands on


class SceneConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A whole scene; the same value always builds the same world."""

    seed: int = 0
    things: tuple[ThingConfig, ...] = ()
    robot_start: tuple[float, float, float] = (0.0, 0.0, 0.0)  # x, y [m], yaw [rad]
    room_half: float = 3.6  # [m] half side of the room
    floor_rgb: tuple[float, float, float] = (0.5, 0.5, 0.52)
    floor_texture: int = 0
    wall_rgb: tuple[float, float, float] = (0.8, 0.8, 0.78)
    ambient: float = 0.3  # headlight, 0..1
    lights: tuple[tuple[float, float, float, float], ...] = ()  # direction, strength
    camera_error: tuple[float, ...] = (0.0,) * 6  # head: xyz [m], rotation [rad]

    def __post_init__(self) -> None:
        names = [thing.name for thing in self.things]
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ConfigError(f"scene: names used twice: {', '.join(sorted(double))}")
        known = {*SHAPES, *RECEPTACLES, *LANDMARKS, "table"}
        for thing in self.things:
            if thing.shape not in known:
                raise ConfigError(unknown_name("shape", thing.shape, known))
            if thing.colour and thing.colour not in COLOURS:
                raise ConfigError(unknown_name("colour", thing.colour, COLOURS))
            numbers = (*thing.position, *thing.half_size, thing.yaw, thing.mass)
            if not all(np.isfinite(numbers)):
                raise ConfigError(
                    f"scene: '{thing.name}' has a number that is not finite"
                )
            if not (min(thing.half_size) > 0 and thing.mass > 0):
                raise ConfigError(
                    f"scene: '{thing.name}' needs a size and mass above 0"
                )


def load_scene(path: Path) -> SceneConfig:
    """Read a scene from TOML or JSON.

    Raises:
        ConfigError: the file is missing, malformed, or has an unknown key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"scene file '{path}': {error.strerror}") from error
    try:
        if path.suffix == ".json":
            return msgspec.json.decode(data, type=SceneConfig)
        return msgspec.toml.decode(data, type=SceneConfig)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"scene file '{path}': {error}") from error
