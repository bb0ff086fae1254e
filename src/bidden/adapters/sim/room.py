"""From a `SceneConfig` to MuJoCo geoms: floor, walls, furniture, things."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np

from .body import THING_BIT, THING_MASK
from .scene import TABLE_THICKNESS, SceneConfig, ThingConfig

_G = mujoco.mjtGeom
_N_TEXTURES = 6
_PX = 64


def add_room(spec: mujoco.MjSpec, scene: SceneConfig) -> None:
    """Add everything that `scene` names to `spec`."""
    _add_textures(spec)
    _add_shell(spec, scene)
    for thing in scene.things:
        _BUILDERS[thing.shape](spec, thing)


def _texture_pattern(kind: int, r: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:_PX, :_PX] / _PX
    f = r.integers(1, 9, 2)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (f[0] * x + f[1] * y) + r.uniform(0, 6))
    blocks = r.random((8, 8)).repeat(8, 0).repeat(8, 1)
    grain = r.random((_PX, _PX))
    patterns = (
        wave,
        blocks,
        0.6 * wave + 0.4 * blocks,
        grain,
        0.5 * wave + 0.5 * grain,
        ((x * f[0] * 2) % 1 > 0.15) * 1.0,
    )
    return patterns[kind]


def _add_textures(spec: mujoco.MjSpec) -> None:
    r = np.random.default_rng(0)
    for k in range(_N_TEXTURES):
        value = 0.75 + 0.25 * _texture_pattern(k, r)
        pixels = (value[..., None] * np.full(3, 255)).astype(np.uint8)
        texture = spec.add_texture(
            name=f"t{k}", type=mujoco.mjtTexture.mjTEXTURE_2D,
            width=_PX, height=_PX, nchannel=3,
        )  # fmt: skip
        texture.data = pixels.tobytes()
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, width=32, height=32,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.7, 0.75, 0.8], rgb2=[0.35, 0.4, 0.45],
    )  # fmt: skip


def _material(
    spec: mujoco.MjSpec,
    name: str,
    texture: int,
    rgb: tuple[float, float, float],
    *,
    repeat: float,
) -> str:
    material = spec.add_material(
        name=name, rgba=[*rgb, 1], texrepeat=[repeat, repeat], texuniform=True,
        reflectance=0.0, specular=0.1,
    )  # fmt: skip
    if texture >= 0:
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = f"t{texture}"
    return name


def _add_shell(spec: mujoco.MjSpec, scene: SceneConfig) -> None:
    world = spec.worldbody
    floor = _material(spec, "floor", scene.floor_texture, scene.floor_rgb, repeat=1.0)
    h = scene.room_half
    # drawn a metre past the walls (an endless one costs half of every picture), in
    # squares small enough for its sheen; things stand on all of the plane
    world.add_geom(
        name="floor", type=_G.mjGEOM_PLANE, size=[h + 1, h + 1, 0.2], material=floor,
        contype=1, conaffinity=1, condim=3,
    )  # fmt: skip
    for k, (x, y) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        size = [0.03 if x else h, 0.03 if y else h, 1.4]
        world.add_geom(
            name=f"wall{k}", type=_G.mjGEOM_BOX, size=size, pos=[x * h, y * h, 1.4],
            rgba=[*scene.wall_rgb, 1], contype=THING_BIT, conaffinity=THING_MASK,
        )  # fmt: skip
    spec.visual.headlight.ambient = [scene.ambient] * 3
    spec.visual.headlight.diffuse = [0.25] * 3
    for light in scene.lights:
        world.add_light(
            pos=[0, 0, 3.5], dir=list(light[:3]), diffuse=[light[3]] * 3,
            castshadow=False, type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        )  # fmt: skip


class _Builder:
    """One body of a scene; its frame is the middle of its bottom."""

    def __init__(
        self, spec: mujoco.MjSpec, thing: ThingConfig, *, free: bool = False
    ) -> None:
        self.thing, self.n = thing, 0
        half = 0.5 * thing.yaw
        self.body = spec.worldbody.add_body(
            name=thing.name,
            pos=list(thing.position),
            quat=[np.cos(half), 0, 0, np.sin(half)],
        )
        if free:
            self.body.add_freejoint(name=thing.name)

    def geom(
        self,
        kind: mujoco.mjtGeom,
        size: list[float],
        pos: list[float],
        *,
        rgb: tuple[float, float, float] | None = None,
        material: str = "",
        euler: list[float] | None = None,
        mass: float = 0.0,
        grip: bool = False,
        solid: bool = True,
    ) -> None:
        g = self.body.add_geom(
            name=self.thing.name if self.n == 0 else f"{self.thing.name}/{self.n}",
            type=kind, size=size, pos=pos, mass=mass,
            contype=THING_BIT if solid else 0, conaffinity=THING_MASK if solid else 0,
            condim=4 if grip else 3,
            friction=[self.thing.friction, 0.01 if grip else 0.005, 0.001],
        )  # fmt: skip
        if material:
            g.material = material
        else:
            g.rgba = [*(rgb or self.thing.rgb), 1]
        if grip:
            g.solref = [0.01, 1]
        if euler is not None:
            quat = np.zeros(4)
            mujoco.mju_euler2Quat(quat, np.array(euler), "xyz")
            g.quat = quat
        self.n += 1


def _cube(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, h = _Builder(spec, t, free=True), list(t.half_size)
    b.geom(_G.mjGEOM_BOX, h, [0, 0, h[2]], mass=t.mass, grip=True)


def _ball(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, r = _Builder(spec, t, free=True), t.half_size[2]
    b.geom(_G.mjGEOM_SPHERE, [r, 0, 0], [0, 0, r], mass=t.mass, grip=True)
    for joint in b.body.joints:
        joint.damping = [2e-4, 0, 0]  # rolling loss, as on cloth


def _cylinder(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, h = _Builder(spec, t, free=True), t.half_size
    b.geom(_G.mjGEOM_CYLINDER, [h[0], h[2], 0], [0, 0, h[2]], mass=t.mass, grip=True)


def _bowl(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (r, _, hz) = _Builder(spec, t, free=True), t.half_size
    b.geom(_G.mjGEOM_CYLINDER, [0.6 * r, 0.004, 0], [0, 0, 0.004], mass=t.mass / 2)
    n = 12
    for k in range(n):
        a = 2 * np.pi * k / n
        pos = [0.8 * r * np.cos(a), 0.8 * r * np.sin(a), hz + 0.003]
        b.geom(
            _G.mjGEOM_BOX, [0.004, 0.24 * r, 1.15 * hz], pos, mass=t.mass / 2 / n,
            euler=[0, 0.42, 0] if k == 0 else None,
        )  # fmt: skip
        turn, tilt = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, np.array([0, 0, 1.0]), a)
        mujoco.mju_axisAngle2Quat(tilt, np.array([0, 1.0, 0]), 0.42)
        quat = np.zeros(4)
        mujoco.mju_mulQuat(quat, turn, tilt)
        b.body.geoms[-1].quat = quat


def _tray(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t, free=True), t.half_size
    b.geom(_G.mjGEOM_BOX, [x, y, 0.004], [0, 0, 0.004], mass=t.mass / 2)
    for sx, sy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        size = [0.005 if sx else x, 0.005 if sy else y, z]
        b.geom(
            _G.mjGEOM_BOX, size, [sx * (x - 0.005), sy * (y - 0.005), z],
            mass=t.mass / 8,
        )  # fmt: skip


def _bin(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t), t.half_size
    b.geom(_G.mjGEOM_BOX, [x, y, 0.005], [0, 0, 0.005])
    for sx, sy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        size = [0.006 if sx else x, 0.006 if sy else y, z]
        b.geom(_G.mjGEOM_BOX, size, [sx * (x - 0.006), sy * (y - 0.006), z])


def _table(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t), t.half_size
    top, k = 2 * z, TABLE_THICKNESS / 2
    material = _material(spec, t.name, t.texture, t.rgb, repeat=2.0)
    b.geom(_G.mjGEOM_BOX, [x, y, k], [0, 0, top - k], material=material)
    dark = (t.rgb[0] * 0.6, t.rgb[1] * 0.6, t.rgb[2] * 0.6)
    leg = (top - 2 * k) / 2
    for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        pos = [sx * (x - 0.04), sy * (y - 0.04), leg]
        b.geom(_G.mjGEOM_BOX, [0.02, 0.02, leg], pos, rgb=dark, solid=False)


def _door(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t), t.half_size
    b.geom(_G.mjGEOM_BOX, [x / 2, y, z], [0, 0, z])
    frame = (0.85, 0.84, 0.80)
    for sy in (1, -1):
        pos = [0, sy * (y + 0.05), z]
        b.geom(_G.mjGEOM_BOX, [x, 0.05, z + 0.05], pos, rgb=frame)
    knob = [-x / 2 - 0.03, 0.8 * y, 0.95]
    b.geom(_G.mjGEOM_SPHERE, [0.035, 0, 0], knob, rgb=(0.75, 0.65, 0.25), solid=False)


def _chair(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t), t.half_size
    seat = 1.05 * z
    b.geom(_G.mjGEOM_BOX, [x, y, 0.02], [0, 0, seat])
    b.geom(_G.mjGEOM_BOX, [0.02, y, (2 * z - seat) / 2], [x, 0, (2 * z + seat) / 2])
    for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        pos = [sx * (x - 0.03), sy * (y - 0.03), seat / 2]
        b.geom(_G.mjGEOM_BOX, [0.02, 0.02, seat / 2], pos)


def _shelf(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t), t.half_size
    b.geom(_G.mjGEOM_BOX, [0.01, y, z], [x, 0, z])
    for sy in (1, -1):
        b.geom(_G.mjGEOM_BOX, [x, 0.012, z], [0, sy * y, z])
    for k in range(4):
        b.geom(_G.mjGEOM_BOX, [x, y, 0.012], [0, 0, 0.06 + k * (2 * z - 0.08) / 3])


def _plant(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, _, z) = _Builder(spec, t), t.half_size
    pot, leaf, dark = (0.62, 0.34, 0.2), (0.13, 0.42, 0.16), (0.09, 0.33, 0.12)
    b.geom(_G.mjGEOM_CYLINDER, [0.8 * x, 0.14, 0], [0, 0, 0.14], rgb=pot)
    b.geom(_G.mjGEOM_CYLINDER, [0.02, 0.15, 0], [0, 0, 0.4], rgb=(0.35, 0.25, 0.15))
    for k in range(5):
        a, r = 2 * np.pi * k / 5, 0.5 * x
        pos = [r * np.cos(a), r * np.sin(a), 2 * z - 0.28 + 0.05 * (k % 2)]
        size = [0.55 * x, 0.55 * x, 0.2]
        b.geom(_G.mjGEOM_ELLIPSOID, size, pos, rgb=leaf if k % 2 else dark)


def _person(spec: mujoco.MjSpec, t: ThingConfig) -> None:
    b, (x, y, z) = _Builder(spec, t), t.half_size
    skin, trousers, tall = (0.85, 0.65, 0.52), (0.18, 0.2, 0.28), 2 * z
    torso = [0.75 * x, 0.7 * y, 0.19 * tall]
    b.geom(_G.mjGEOM_ELLIPSOID, torso, [0, 0, 0.64 * tall])
    b.geom(_G.mjGEOM_SPHERE, [0.105, 0, 0], [0, 0, 0.92 * tall], rgb=skin)
    for s in (1, -1):
        leg = [0, s * 0.42 * y, 0.24 * tall]
        b.geom(_G.mjGEOM_CAPSULE, [0.07, 0.2 * tall, 0], leg, rgb=trousers)
        arm = [0, s * 0.88 * y, 0.62 * tall]
        b.geom(_G.mjGEOM_CAPSULE, [0.045, 0.15 * tall, 0], arm)
        hand = [0, s * 0.88 * y, 0.44 * tall]
        b.geom(_G.mjGEOM_SPHERE, [0.045, 0, 0], hand, rgb=skin)


_BUILDERS: dict[str, Callable[[mujoco.MjSpec, ThingConfig], None]] = {
    "cube": _cube,
    "box": _cube,
    "ball": _ball,
    "cylinder": _cylinder,
    "bowl": _bowl,
    "tray": _tray,
    "bin": _bin,
    "table": _table,
    "door": _door,
    "chair": _chair,
    "shelf": _shelf,
    "plant": _plant,
    "person": _person,
}
