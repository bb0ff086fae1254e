"""How well the named thing is found: at the table and at two metres.

Each episode is one scene and one picture of the robot's own head camera, with the
untold error of its mount and the noise of its depth. Every object in the picture is
asked for by colour and shape.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from bidden.adapters.sim.scene import Pairs, random_scene
from bidden.adapters.sim.scene.catalog import HELD_OUT_PAIRS
from bidden.brain.language.encoder import Encoder
from bidden.brain.models import Precision
from bidden.brain.perception import VisionPipeline
from bidden.core.messages import Array, Image

from .statistics import wilson

if TYPE_CHECKING:  # importing the world chooses a renderer
    from bidden.adapters.sim.world import Thing, World

Split = Literal["seen", "unseen-pairs"]
Distance = Literal["table", "2m"]
Sensor = Literal["rgbd", "rgb"]
REACH_M = 0.6  # horizontal distance of the pelvis to what counts as at the table
FAR_M = (1.5, 2.5)  # what counts as about two metres
PRECISE_M = {"table": 0.010, "2m": 0.100}
SETTLE_NS = 400_000_000  # the robot stands for a moment before the picture


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    split: Split
    distance: Distance
    sensor: Sensor
    asked: int
    precise: float  # share within PRECISE_M
    precise_ci95: tuple[float, float]
    wrong: float  # share nearest to another object than the named one
    wrong_ci95: tuple[float, float]
    median_mm: float
    p90_mm: float
    confident_wrong: float  # share of wrong ones among those above 0.5 confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One asked object."""

    distance: Distance
    sensor: Sensor
    phrase: str
    error_m: float
    wrong: bool
    confidence: float
    spread_m: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run of scenes for one process."""

    split: Split
    seeds: tuple[int, ...]
    precision: Precision
    folder: Path | None


def evaluate(
    split: Split,
    episodes: int,
    *,
    seed: int,
    workers: int = 1,
    precision: Precision = "int8",
    folder: Path | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[Row]:
    """The rows of one split: table and two metres, with depth and without.

    Args:
        split: `seen` or `unseen-pairs` (only objects of pairs never trained on).
        episodes: scenes; each gives one picture at a table and one from afar.
        seed: of the first scene.
        workers: processes.
        precision: of the weights.
        folder: of the weights; the shipped ones if None.
        on_progress: called with the number of scenes done.
    """
    answers = collect(
        split, episodes, seed=seed, workers=workers, precision=precision,
        folder=folder, on_progress=on_progress,
    )  # fmt: skip
    return [
        summarise(split, answers, distance=distance, sensor=sensor)
        for sensor in ("rgbd", "rgb")
        for distance in ("table", "2m")
    ]  # fmt: skip


def collect(
    split: Split, episodes: int, *, seed: int, workers: int, precision: Precision,
    folder: Path | None, on_progress: Callable[[int], None],
) -> list[Answer]:  # fmt: skip
    """Every single answer, in the order of seeds."""
    step = 5
    jobs = [
        Job(split=split, seeds=tuple(range(k, min(k + step, seed + episodes))),
            precision=precision, folder=folder)
        for k in range(seed, seed + episodes, step)
    ]  # fmt: skip
    found: list[Answer] = []
    if workers <= 1:
        for job in jobs:
            found += run_job(job)
            on_progress(len(job.seeds))
        return found
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for job, answers in zip(jobs, pool.map(run_job, jobs), strict=True):
            found += answers
            on_progress(len(job.seeds))
    return found


def run_job(job: Job) -> list[Answer]:
    """Answers of some scenes, in this process."""
    from bidden.adapters.sim.gl import choose_gl

    choose_gl()
    pipeline = VisionPipeline.load(
        Encoder.load().encode, job.precision, folder=job.folder
    )
    return [a for seed in job.seeds for a in run_scene(pipeline, seed, split=job.split)]


def run_scene(pipeline: VisionPipeline, seed: int, *, split: Split) -> list[Answer]:
    """Look at one scene from its tables and from afar, asking for every object."""
    from bidden.adapters.sim.g1 import SimRobot, cameras
    from bidden.adapters.sim.world import World

    pairs: Pairs = "train" if split == "seen" else "unseen"
    world = World(random_scene(seed, pairs=pairs))
    r = np.random.default_rng((seed, 3))
    robot = SimRobot(world)
    found: list[Answer] = []
    distances: tuple[Distance, ...] = ("table", "2m")
    for distance in distances:
        pose = _place(world, r, distance, split)
        if pose is None:
            continue
        world.place_robot(*pose)
        robot.reset()
        robot.clock.sleep_until(SETTLE_NS)
        image = cameras(robot)["head"].read()
        sensors: tuple[Sensor, ...] = ("rgbd", "rgb")
        for sensor in sensors:
            seen = image if sensor == "rgbd" else replace(image, depth=None)
            found += _ask_all(
                pipeline, world, seen, image, split, distance, sensor, seed
            )
    world.close()
    return found


def summarise(
    split: Split, answers: Iterable[Answer], *, distance: Distance, sensor: Sensor
) -> Row:
    """One row of the table."""
    chosen = [a for a in answers if a.distance == distance and a.sensor == sensor]
    n = len(chosen)
    precise = sum(a.error_m <= PRECISE_M[distance] for a in chosen)
    wrong = sum(a.wrong for a in chosen)
    sure = [a for a in chosen if a.confidence >= 0.5]
    errors = np.array([a.error_m for a in chosen]) * 1e3
    return Row(
        split=split,
        distance=distance,
        sensor=sensor,
        asked=n,
        precise=precise / n if n else math.nan,
        precise_ci95=wilson(precise, n),
        wrong=wrong / n if n else math.nan,
        wrong_ci95=wilson(wrong, n),
        median_mm=float(np.median(errors)) if n else math.nan,
        p90_mm=float(np.quantile(errors, 0.9)) if n else math.nan,
        confident_wrong=sum(a.wrong for a in sure) / len(sure) if sure else math.nan,
    )


def _place(
    world: World, r: np.random.Generator, distance: Distance, split: Split
) -> tuple[float, float, float] | None:
    """Where to stand to look at some object; None if the scene allows it nowhere."""
    things = world.truth()
    targets = [t for t in things.values() if _is_asked(t, split)]
    if not targets:
        return None
    target = targets[int(r.integers(len(targets)))]
    table = things[target.support]
    for _ in range(60):
        if distance == "table":
            c, s = np.cos(table.yaw), np.sin(table.yaw)
            offset = target.p_W[:2] - table.p_W[:2]
            side = -s * offset[0] + c * offset[1] + r.normal(0, 0.12)
            front = -table.half_size[0] - r.uniform(0.14, 0.26)
            x = table.p_W[0] + c * front - s * side
            y = table.p_W[1] + s * front + c * side
            return float(x), float(y), float(table.yaw + r.normal(0, 0.1))
        heading = table.yaw + r.uniform(-0.6, 0.6)
        away = r.uniform(FAR_M[0] + 0.1, FAR_M[1] - 0.1)
        x = target.p_W[0] - away * np.cos(heading)
        y = target.p_W[1] - away * np.sin(heading)
        if np.hypot(x, y) < 1.1:
            return float(x), float(y), float(heading + r.normal(0, 0.2))
    return None


def _is_asked(thing: Thing, split: Split) -> bool:
    held_out = (thing.colour, thing.shape) in HELD_OUT_PAIRS
    return thing.kind == "object" and (held_out or split == "seen")


def _ask_all(
    pipeline: VisionPipeline, world: World, seen: Image, image: Image, split: Split,
    distance: Distance, sensor: Sensor, seed: int,
) -> list[Answer]:  # fmt: skip
    objects = [t for t in world.truth().values() if t.kind == "object"]
    places = np.array([world.to_base(t.p_W) for t in objects])
    found = []
    for i, thing in enumerate(objects):
        reach = float(np.hypot(*places[i][:2]))
        fits = reach < REACH_M if distance == "table" else FAR_M[0] < reach < FAR_M[1]
        turn = thing.yaw - world.robot_pose()[2]
        if not (_is_asked(thing, split) and fits):
            continue
        if not visible_share(image, places[i], yaw=turn, half=thing.half_size) >= 0.4:
            continue
        phrase = f"{thing.colour} {thing.shape}"
        look = pipeline.look(seen, {"object": phrase})
        g = look.groundings[0]
        away = np.linalg.norm(places - g.p_B, axis=1)
        lost = bool(away[i] > (0.15 if distance == "table" else 0.3))
        found.append(
            Answer(
                distance=distance, sensor=sensor, phrase=phrase, error_m=float(away[i]),
                wrong=bool(np.argmin(away) != i) or lost, confidence=g.confidence,
                spread_m=g.spread_m, seed=seed,
            )
        )  # fmt: skip
    return found


def visible_share(
    image: Image, centre_B: Array, *, yaw: float, half: tuple[float, float, float]
) -> float:
    """Share of points of an upright box that are in the image and not hidden."""
    unit = np.array(np.meshgrid(*[[-0.7, 0.0, 0.7]] * 3)).reshape(3, -1).T
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    points = centre_B + (unit * half) @ turn.T
    p_C = (points - image.X_BC[:3, 3]) @ image.X_BC[:3, :3]
    z = np.maximum(p_C[:, 2], 0.05)
    u, v = image.K[0, 0] * p_C[:, 0] / z, image.K[1, 1] * p_C[:, 1] / z
    u, v = u + image.K[0, 2], v + image.K[1, 2]
    height, width = image.rgb.shape[:2]
    inside = (p_C[:, 2] > 0.1) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    if image.depth is None:
        return float(np.mean(inside))
    row = np.clip(v, 0, height - 1).astype(int)
    column = np.clip(u, 0, width - 1).astype(int)
    measured = image.depth[row, column]
    slack = 1.5 * max(half[:2]) + 0.005 + 0.01 * z * z
    clear = (measured <= 0.05) | (measured > z - slack)
    return float(np.mean(inside & clear))
