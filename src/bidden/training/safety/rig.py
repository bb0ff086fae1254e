"""A robot that can be played for a second and put back, with its truth watched.

Chunks reach the body as they always do, through executor and shield; the shield is
given an empty scene, so that it protects neither furniture nor people, and the truth
says what the raw chunk would have touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.scene import SceneConfig
from bidden.adapters.sim.world import World
from bidden.core.messages import ActionChunk, Array, Verdict
from bidden.core.vetted import VettedCommand
from bidden.robot.g1 import SIDES
from bidden.safety import Check, Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop

FALLEN_UP: Final = 0.5  # cosine of the pelvis tilt that counts as a fall
FALLEN_HEIGHT: Final = 0.45  # [m] of the pelvis that counts as a fall
TABLE_FORCE: Final = 5.0  # [N] fingers may brush a table with less while they grasp
FAST_TICKS: Final = 3  # a speed that the shield cut so often was no blip of the IK
SELF_GAP: Final = 0.012  # [m] arms that the shield stopped this near would have touched
_KEPT: Final = (
    "qpos", "qvel", "ctrl", "qacc_warmstart", "time", "xmat", "xpos", "site_xpos",
    "actuator_force", "qfrc_bias", "xfrc_applied",
)  # fmt: skip
_BREACHES: Final = {
    Check.BASE_SPEED.value: "speed",
    Check.HAND_SPEED.value: "speed",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What became of a chunk; times are seconds after its start, inf for never."""

    furniture_s: float
    person_s: float
    self_s: float
    speed_s: float
    fall_s: float
    was_touching: bool  # in contact already when the chunk began
    base: Array  # true pose x, y [m], yaw [rad] from the start's, each 0.1 s, (10, 3)
    hands: Array  # true grip points in the base frame of then [m], (10, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frozen:
    """A moment of a rig."""

    data: dict[str, Any]  # of the simulator
    parts: Sequence[tuple[object, dict[str, Any]]]  # body, executor and shield
    push: tuple[int, int, Array]
    payload: Array
    friction: float


class Rig:
    """One room with a robot in it."""

    def __init__(self, scene: SceneConfig, rng: np.random.Generator) -> None:
        self.world = World(scene)
        self.rng = rng
        self.robot = SimRobot(self.world)
        self.executor = Executor()
        self._contacts = _Contacts(self.world)
        self.friction = 0.6
        self._wrists = [
            self.world.model.body(f"{side}_wrist_yaw_link").id for side in SIDES
        ]
        self._torso = self.world.model.body("torso_link").id
        self._push: tuple[int, int, Array] = (0, 0, np.zeros(3))
        self._payload: Array = np.zeros(2)
        self.stand(*scene.robot_start)

    def stand(self, x: float, y: float, yaw: float) -> None:
        """Stand here, unpushed, with empty hands."""
        w = self.world
        w.reset()
        w.place_robot(x, y, yaw)
        self._payload, self._push = np.zeros(2), (0, 0, np.zeros(3))
        w.data.xfrc_applied[:] = 0
        self.set_friction(0.6)
        self.robot.reset()
        self.executor.reset()
        self._ear = _Ear()
        self.loop = ControlLoop(
            self.robot,
            self.robot.clock,
            executor=self.executor,
            shield=Shield(),
            tape=self._ear,  # type: ignore[arg-type]  # hears what a tape would
        )
        self.loop.arm()
        self.run(20)

    def set_friction(self, value: float) -> None:
        """Slide friction of the soles."""
        model = self.world.model
        for i in range(model.ngeom):
            if "foot" in (model.geom(i).name or ""):
                model.geom_friction[i, 0] = value
        self.friction = value

    def load_hands(self, kg: Array) -> None:
        """Weight in the right and the left hand [kg], as a force without inertia."""
        self._payload = kg

    def push(self, force: Array, *, seconds: float, delay_s: float = 0.0) -> None:
        """Push the torso [N], W axes, for a while, from `delay_s` on."""
        begin = self.robot.now_ns + int(delay_s * 1e9)
        self._push = (begin, begin + int(seconds * 1e9), force)

    def run(self, ticks: int, watch: Callable[[], bool] | None = None) -> None:
        """Run control ticks; ends early when `watch` says so after a tick."""
        for _ in range(ticks):
            self._apply_forces()
            self.loop.tick()
            if watch is not None and watch():
                return

    def _apply_forces(self) -> None:
        force = self.world.data.xfrc_applied
        begin, end, push = self._push
        is_on = begin <= self.robot.now_ns < end
        force[self._torso, :3] = push if is_on else 0.0
        for wrist, kg in zip(self._wrists, self._payload, strict=True):
            force[wrist, 2] = -9.81 * kg

    def has_fallen(self) -> bool:
        """Whether the robot lies."""
        w = self.world
        up, height = w.data.xmat[w.pelvis][8], w.data.qpos[w.base_q + 2]
        return not (up >= FALLEN_UP and height >= FALLEN_HEIGHT)

    def touches(self) -> set[str]:
        """What the robot touches that it should not: furniture, person."""
        return self._contacts.now()

    def rehearse(self, chunk: ActionChunk, seconds: float = 1.0) -> Truth:
        """Play a chunk for a second, see what comes of it, and put everything back."""
        kept = self.freeze()
        truth = self._play(chunk, round(seconds * 50))
        self.thaw(kept)
        return truth

    def _play(self, chunk: ActionChunk, ticks: int) -> Truth:
        w, start = self.world, self.world.robot_pose()
        first = dict.fromkeys(
            ("furniture", "person", "self", "speed", "fall"), float("inf")
        )
        touching, fast = bool(self.touches()), 0
        base: list[Array] = []
        hands: list[Array] = []
        self.executor.load(chunk)
        for tick in range(1, ticks + 1):
            self.run(1)
            found = self.touches() | self._breaches()
            if self.has_fallen():
                found.add("fall")
            fast += int("speed" in found)
            if fast < FAST_TICKS:
                found.discard("speed")
            for name in found:
                first[name] = min(first[name], tick * 0.02)
            if tick % 5 == 0:
                base.append(_relative(w.robot_pose(), start))
                hands.append(
                    np.stack([w.to_base(w.hand_position(hand)) for hand in (0, 1)])
                )
            if first["fall"] < np.inf:
                break
        while len(base) < ticks // 5:
            base.append(np.full(3, np.nan))
            hands.append(np.full((2, 3), np.nan))
        return Truth(
            furniture_s=first["furniture"],
            person_s=first["person"],
            self_s=first["self"],
            speed_s=first["speed"],
            fall_s=first["fall"],
            was_touching=touching,
            base=np.stack(base),
            hands=np.stack(hands),
        )

    def _breaches(self) -> set[str]:
        verdict = self._ear.verdict
        assert verdict is not None
        found = {_BREACHES[r] for r in verdict.reasons if r in _BREACHES}
        if Check.SELF_DISTANCE.value in verdict.reasons and (
            verdict.margin_m < SELF_GAP
        ):
            found.add("self")
        return found

    def freeze(self) -> Frozen:
        """All that decides what comes next, for `thaw`."""
        d, robot = self.world.data, self.robot
        kept: dict[str, Any] = {name: _copied(getattr(d, name)) for name in _KEPT}
        kept_parts = [
            (part, {k: _copied(v) for k, v in vars(part).items()})
            for part in (
                robot, robot._gait, robot._crouch, robot._odometry, self.executor,
                self.loop.shield,
            )
        ]  # fmt: skip
        return Frozen(
            data=kept,
            parts=kept_parts,
            push=self._push,
            payload=self._payload,
            friction=self.friction,
        )

    def thaw(self, frozen: Frozen) -> None:
        """Put everything back as it was; may be done any number of times."""
        for name, value in frozen.data.items():
            if isinstance(value, np.ndarray):
                getattr(self.world.data, name)[:] = value
            else:
                setattr(self.world.data, name, value)
        for part, values in frozen.parts:
            vars(part).update({k: _copied(v) for k, v in values.items()})
        self._push, self._payload = frozen.push, frozen.payload
        if self.friction != frozen.friction:
            self.set_friction(frozen.friction)
        self.loop.reset_counts()


class _Ear:
    """Hears each verdict, as a tape would."""

    verdict: Verdict | None = None

    def tick(self, *args: object, vetted: VettedCommand, **kwargs: object) -> None:
        self.verdict = vetted.verdict

    def arming(self, *args: object, **kwargs: object) -> None:
        pass


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray | list):
        return value.copy()
    return value


def _relative(pose: Array, start: Array) -> Array:
    dx, dy = pose[:2] - start[:2]
    c, s = np.cos(start[2]), np.sin(start[2])
    turn = (pose[2] - start[2] + np.pi) % (2 * np.pi) - np.pi
    return np.array([c * dx + s * dy, -s * dx + c * dy, turn])


class _Contacts:
    """Sorts the simulator's contacts into wanted and unwanted ones."""

    def __init__(self, world: World) -> None:
        self._data = world.data
        model = world.model
        kinds = {t.name: t.kind for t in world.scene.things}
        shapes = {t.name: t.shape for t in world.scene.things}
        self._thing = np.zeros(model.ngeom, int)  # 0 none, 1 furniture, 2 person
        self._robot = np.zeros(model.ngeom, int)  # 0 none, 1 body, 2 gripper
        self._is_table = np.zeros(model.ngeom, bool)
        pelvis = model.body("pelvis").id
        for i in range(model.ngeom):
            name, body = model.geom(i).name or "", int(model.geom_bodyid[i])
            owner = name.split("/")[0]
            if name.startswith("wall"):
                self._thing[i] = 1
            elif owner in kinds:
                solid = kinds[owner] in ("table", "landmark") or shapes[owner] == "bin"
                self._thing[i] = int(solid) + int(shapes[owner] == "person")
                self._is_table[i] = kinds[owner] == "table"
            elif int(model.body_rootid[body]) == int(model.body_rootid[pelvis]):
                is_grip = "_pad_" in name or name.endswith("_palm")
                self._robot[i] = 2 if is_grip else 1

    def now(self) -> set[str]:
        d, found = self._data, set()
        for k in range(d.ncon):
            a, b = (int(g) for g in d.contact.geom[k])
            robot, thing = (a, b) if self._robot[a] else (b, a)
            if not (self._robot[robot] and self._thing[thing]):
                continue
            if self._robot[robot] == 2 and self._is_table[thing]:
                row = int(d.contact.efc_address[k])
                if row < 0 or not d.efc_force[row] > TABLE_FORCE:
                    continue
            found.add("person" if self._thing[thing] == 2 else "furniture")
        return found
