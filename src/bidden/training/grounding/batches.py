"""Batches for grounding: pictures with noise and jitter, phrases, close looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bidden.adapters.sim.g1 import add_depth_noise
from bidden.brain.perception.preprocess import NATIVE_PX, prepare_batch
from bidden.core.errors import ConfigError
from bidden.robot.g1 import CAMERAS
from bidden.robot.kinematics import camera_matrix

from .data import Shard
from .phrases import (
    ANY_KIND,
    HALF_LANDMARK,
    HALF_OBJECT,
    HALF_RECEPTACLE,
    KINDS,
    N_COLOURED,
    N_OBJECTS,
    NO_COLOUR,
    PhraseBank,
    half_size,
    is_held_out,
)

SEEN, GLIMPSED = 0.4, 0.04  # visible shares: may be asked for; may not be called absent
MARGIN_PX = 3.0
HALF: NDArray[np.float64] = np.array([half_size(k) for k in range(ANY_KIND + 1)])
_T = TypeVar("_T", bound=np.generic)
_HALVES = (HALF_OBJECT, HALF_RECEPTACLE, HALF_LANDMARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig:
    """What one step of training is made of."""

    images: int = 8  # pictures with heat maps
    extra: int = 6  # more pictures, for close looks only
    queries: int = 7  # phrases per picture, at most
    said: int = 48  # phrases without a picture
    crops: int = 12  # close looks per picture
    depth_dropout: float = 0.12  # share of pictures without depth
    shift_px: int = 14  # native pixels


@dataclass(slots=True)
class Batch:
    """One step's worth of tensors; see `BatchConfig` for the sizes."""

    image: Tensor  # (B, 5, 160, 160)
    native: Tensor  # (B + extra, 4, 320, 320)
    camera: Tensor  # (B + extra, 4)
    up: Tensor  # (B + extra, 3)
    phrases: Tensor  # (Q, 16, 384)
    mask: Tensor  # (Q, 16)
    owner: Tensor  # picture of each phrase, (Q,)
    asked_kind: Tensor  # (Q,)
    asked_colour: Tensor  # (Q,)
    said: Tensor  # phrases without a picture, of every pair of words, (P, 16, 384)
    said_mask: Tensor  # (P, 16)
    said_kind: Tensor  # (P,)
    said_colour: Tensor  # (P,)
    said_half: Tensor  # [m], (P,)
    target: Tensor  # share of each heat-map cell and, last, of "absent", (Q, S * S + 1)
    answer: Tensor  # u, v [native px], depth [m] of one answer, 0 if absent, (Q, 3)
    crop_centre: Tensor  # native pixels, (B + extra, M, 2)
    crop_half: Tensor  # [m], (B + extra, M)
    crop_depth: Tensor  # where none is measured [m], (B + extra, M)
    crop_kind: Tensor  # -100 unknown, ANY_KIND nothing, (N,)
    crop_colour: Tensor  # (N,)
    crop_point: Tensor  # camera frame [m], NaN for none, (N, 3)
    crop_wanted: Tensor  # (N, kinds + 1)


class GroundingSet:
    """The whole data set in memory, as it lies on disk."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        paths = sorted(folder.glob("shard_*.npz"))[:limit]
        if not paths:
            raise ConfigError(f"no shards in '{folder}': make it with `make train`")
        shards = [Shard.load(path) for path in paths]
        self.shards: Sequence[Shard] = shards
        self.where = [(i, j) for i, s in enumerate(shards) for j in range(len(s.near))]
        self.K = camera_matrix(CAMERAS[0])

    def __len__(self) -> int:
        return len(self.where)


class Sampler:
    """Draws batches; a seed gives one sequence, and `start` any step of it."""

    def __init__(
        self, data: GroundingSet, bank: PhraseBank, *, config: BatchConfig, seed: int
    ) -> None:
        self.data, self.bank, self.config = data, bank, config
        self._seed = seed
        self.start(0)

    def start(self, step: int) -> None:
        """Draw next what belongs to this step, whatever was drawn before."""
        self.r = np.random.default_rng((self._seed, step))

    def draw(self) -> Batch:
        """The next batch."""
        c, r = self.config, self.r
        n = c.images + c.extra
        pictures = [self._picture(int(k)) for k in r.integers(len(self.data), size=n)]
        frame = prepare_batch(
            np.stack([p.rgb for p in pictures]),
            np.stack([p.depth for p in pictures]),
            K=np.stack([p.K for p in pictures]),
            X_BC=np.stack([p.X_BC for p in pictures]),
        )
        image = torch.from_numpy(frame.image[: c.images])
        native = torch.from_numpy(frame.native)
        self._jitter(image, native)
        queries = [q for i in range(c.images) for q in self._queries(pictures[i], i)]
        crops = [self._crop(p) for p in pictures for _ in range(c.crops)]
        words = np.array([q.phrase for q in queries])
        said = r.integers(len(self.bank.kind), size=c.said)
        noise = 1.0 + 0.05 * r.standard_normal((len(words), 1, 1), dtype=np.float32)
        return Batch(
            image=image,
            native=native,
            camera=torch.from_numpy(frame.camera),
            up=torch.from_numpy(frame.up),
            phrases=torch.from_numpy(
                self.bank.tokens[words].astype(np.float32) * noise
            ),
            mask=torch.from_numpy(self.bank.mask[words]),
            owner=torch.tensor([q.owner for q in queries]),
            asked_kind=torch.from_numpy(self.bank.kind[words]),
            asked_colour=torch.from_numpy(self.bank.colour[words]),
            said=torch.from_numpy(self.bank.tokens[said].astype(np.float32)),
            said_mask=torch.from_numpy(self.bank.mask[said]),
            said_kind=torch.from_numpy(self.bank.kind[said]),
            said_colour=torch.from_numpy(self.bank.colour[said]),
            said_half=torch.from_numpy(HALF[self.bank.kind[said]]).float(),
            target=torch.from_numpy(np.stack([q.target for q in queries])),
            answer=_floats([q.answer for q in queries]),
            crop_centre=_floats([k.centre for k in crops]).view(n, c.crops, 2),
            crop_half=_floats([k.half for k in crops]).view(n, c.crops),
            crop_depth=_floats([k.depth for k in crops]).view(n, c.crops),
            crop_kind=torch.tensor([k.kind for k in crops]),
            crop_colour=torch.tensor([k.colour for k in crops]),
            crop_point=_floats([k.point for k in crops]),
            crop_wanted=_floats([k.wanted for k in crops]),
        )

    # -- pictures ----------------------------------------------------------------
    def _picture(self, index: int) -> _Picture:
        """One picture, mirrored and shifted at random, with a depth camera's noise."""
        i, j = self.data.where[index]
        s, r = self.data.shards[i], self.r
        rgb = s.rgb[j]
        if r.random() < self.config.depth_dropout:
            depth = np.zeros(rgb.shape[:2], np.float32)
        else:
            depth = add_depth_noise(s.depth[j].astype(np.float32) * np.float32(1e-4), r)
        K, X_BC = self.data.K.astype(np.float64), s.X_BC[j].astype(np.float64)
        p_C = s.p_C[j].astype(np.float64)
        if r.random() < 0.5:
            rgb, depth = rgb[:, ::-1], depth[:, ::-1]
            K[0, 2] = NATIVE_PX - K[0, 2]
            p_C = p_C * [-1, 1, 1]
            X_BC[2, 0] *= -1  # the mirrored camera's view of "up"
        dx, dy = r.integers(-self.config.shift_px, self.config.shift_px + 1, 2)
        rgb, depth = _shifted(rgb, int(dx), int(dy)), _shifted(depth, int(dx), int(dy))
        K[0, 2] += dx
        K[1, 2] += dy
        z = np.maximum(p_C[:, 2], 0.05)
        uv = p_C[:, :2] / z[:, None] * [K[0, 0], K[1, 1]] + K[:2, 2]
        inside = ((uv > MARGIN_PX) & (uv < NATIVE_PX - MARGIN_PX)).all(1) & (
            p_C[:, 2] > 0.1
        )
        return _Picture(
            rgb=rgb, depth=depth, K=K, X_BC=X_BC, uv=uv, p_C=p_C,
            kind=s.kind[j], colour=s.colour[j],
            clear=inside & (s.visible[j] >= SEEN), seen=s.visible[j] >= GLIMPSED,
        )  # fmt: skip

    def _jitter(self, image: Tensor, native: Tensor) -> None:
        """The same change of light for both sizes of a picture, in place."""
        r, n = self.r, len(native)
        gain = r.uniform(0.78, 1.25, (n, 1, 1, 1)) * r.uniform(0.94, 1.06, (n, 3, 1, 1))
        bias = r.uniform(-0.3, 0.3, (n, 1, 1, 1)) + r.uniform(-0.08, 0.08, (n, 3, 1, 1))
        a, b = torch.from_numpy(gain).float(), torch.from_numpy(bias).float()
        native[:, :3].mul_(a).add_(b)
        image[:, :3].mul_(a[: len(image)]).add_(b[: len(image)])

    # -- phrases -----------------------------------------------------------------
    def _queries(self, p: _Picture, owner: int) -> list[_Query]:
        r, things = self.r, np.flatnonzero(p.clear)
        n_present = min(len(things), self.config.queries - 2)
        chosen = r.permutation(things)[:n_present]
        found = [self._ask_for(p, int(t), owner) for t in chosen]
        for _ in range(2):
            found += self._ask_in_vain(p, owner)
        return found

    def _ask_for(self, p: _Picture, thing: int, owner: int) -> _Query:
        r, kind, colour = self.r, int(p.kind[thing]), int(p.colour[thing])
        if kind < N_COLOURED:
            u = r.random()
            if u < 0.2:
                colour = NO_COLOUR
            elif u < 0.26 and kind < N_OBJECTS:
                kind = ANY_KIND
        fits = np.flatnonzero(p.clear & _fits(p, kind, colour))
        target = np.zeros((NATIVE_PX // 8) ** 2 + 1, np.float32)
        cells = (p.uv[fits] // 8).astype(int)
        for x, y in cells:
            target[y * (NATIVE_PX // 8) + x] += 1.0 / len(fits)
        return _Query(
            owner=owner, phrase=self.bank.draw(kind, colour, r), target=target,
            answer=(p.uv[thing, 0], p.uv[thing, 1], p.p_C[thing, 2]),
        )  # fmt: skip

    def _ask_in_vain(self, p: _Picture, owner: int) -> list[_Query]:
        r = self.r
        for _ in range(8):
            kind = int(r.integers(len(KINDS)))
            colour = int(r.integers(NO_COLOUR)) if kind < N_COLOURED else NO_COLOUR
            coloured = np.flatnonzero(p.clear & (p.kind < N_COLOURED))
            if (
                len(coloured) and kind < N_COLOURED and r.random() < 0.6
            ):  # a rival is there
                other = int(coloured[int(r.integers(len(coloured)))])
                if r.random() < 0.6:
                    colour = int(p.colour[other])
                else:
                    kind = int(p.kind[other])
            if not (p.seen & _fits(p, kind, colour)).any() and not is_held_out(
                kind, colour
            ):
                target = np.zeros((NATIVE_PX // 8) ** 2 + 1, np.float32)
                target[-1] = 1.0
                phrase = self.bank.draw(kind, colour, r)
                return [
                    _Query(
                        owner=owner,
                        phrase=phrase,
                        target=target,
                        answer=(0.0, 0.0, 0.0),
                    )
                ]
        return []

    # -- close looks ---------------------------------------------------------------
    def _crop(self, p: _Picture) -> _Crop:
        r, things = self.r, np.flatnonzero(p.clear)
        f = p.K[0, 0]
        aim = -1
        if len(things) and r.random() < 0.78:
            weight = np.where(p.kind[things] < N_OBJECTS, 3.0, 1.0)
            aim = int(r.choice(things, p=weight / weight.sum()))
            half, depth = HALF[p.kind[aim]], p.p_C[aim, 2]
            wide = 0.35 if r.random() < 0.2 else 0.12
            centre = p.uv[aim] + r.normal(0, wide, 2) * f * half / depth
            if r.random() < 0.07:  # the right place at the wrong size
                half, aim = _HALVES[int(r.integers(3))], -1
        else:
            half = _HALVES[int(r.choice(3, p=[0.6, 0.25, 0.15]))]
            depth = float(np.exp(r.uniform(np.log(0.4), np.log(3.0))))
            centre = r.uniform(0, NATIVE_PX, 2)
            if len(things) and r.random() < 0.5:  # beside a thing
                t = int(things[int(r.integers(len(things)))])
                depth = p.p_C[t, 2]
                centre = p.uv[t] + r.normal(0, 1.0, 2) * f * half / depth
        kind, colour = _what_is_at(p, centre, half, aim)
        wanted = np.zeros(ANY_KIND + 1)
        sure = int(p.kind[aim]) if aim >= 0 else int(r.integers(ANY_KIND))
        wanted[ANY_KIND if r.random() < 0.08 else sure] = 1.0
        close = aim >= 0 and bool(np.hypot(*(centre - p.uv[aim])) < f * half / depth)
        point = p.p_C[aim] if close else np.full(3, np.nan)
        guess = depth * float(np.exp(r.normal(0, 0.08)))
        return _Crop(
            centre=centre, half=half, depth=guess, kind=kind, colour=colour,
            point=point, wanted=wanted,
        )  # fmt: skip


@dataclass(slots=True)
class _Picture:
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    K: NDArray[np.float64]
    X_BC: NDArray[np.float64]
    uv: NDArray[np.float64]
    p_C: NDArray[np.float64]
    kind: NDArray[np.int8]
    colour: NDArray[np.int8]
    clear: NDArray[np.bool_]
    seen: NDArray[np.bool_]


@dataclass(slots=True)
class _Query:
    owner: int
    phrase: int
    target: NDArray[np.float32]
    answer: tuple[float, float, float]


@dataclass(slots=True)
class _Crop:
    centre: NDArray[np.float64]
    half: float
    depth: float
    kind: int
    colour: int
    point: NDArray[np.float64]
    wanted: NDArray[np.float64]


def _fits(p: _Picture, kind: int, colour: int) -> NDArray[np.bool_]:
    same = (
        (p.kind == kind) if kind != ANY_KIND else (p.kind >= 0) & (p.kind < N_OBJECTS)
    )
    found: NDArray[np.bool_] = (
        same if colour == NO_COLOUR else same & (p.colour == colour)
    )
    return found


def _what_is_at(
    p: _Picture, centre: NDArray[np.float64], half: float, aim: int
) -> tuple[int, int]:
    """Kind and colour of what a close look of this size is centred on."""
    size = HALF[np.clip(p.kind, 0, ANY_KIND)]
    z = np.maximum(p.p_C[:, 2], 0.1)
    away = np.hypot(*(p.uv - centre).T) / (p.K[0, 0] * half / z)
    away = np.where(
        (p.kind >= 0) & p.seen & (size == half) & (p.p_C[:, 2] > 0.1), away, 9.0
    )
    nearest = aim if aim >= 0 and away[aim] < 0.45 else int(np.argmin(away))
    if away[nearest] > 0.8:
        return ANY_KIND, NO_COLOUR
    if away[nearest] > 0.45 or not p.clear[nearest]:
        return -100, -100
    return int(p.kind[nearest]), int(p.colour[nearest])


def _shifted(x: NDArray[_T], dx: int, dy: int) -> NDArray[_T]:
    """Moved right by dx and down by dy; what comes in is black, or a hole."""
    out = np.zeros_like(x)
    h, w = x.shape[:2]
    out[max(dy, 0) : h + min(dy, 0), max(dx, 0) : w + min(dx, 0)] = x[
        max(-dy, 0) : h - max(dy, 0), max(-dx, 0) : w - max(dx, 0)
    ]
    return out


def _floats(values: Sequence[object]) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))
