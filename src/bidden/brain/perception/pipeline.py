"""From a camera image and noun phrases to points in the base frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bidden.brain.fusion import Ask, Seen, Sighting, ground
from bidden.brain.models import Network, Precision, Session, weights_path
from bidden.core.messages import Array, Grounding, Image

from .preprocess import find_fault, prepare

Encode = Callable[[str], tuple[Array, Array]]  # phrase -> tokens (16, 384), mask (16,)
_NOTHING_NAMED = {"landmark": "table"}  # the network wants at least one phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one image answered: sightings in the order asked, or why there are none."""

    stamp_ns: int
    sightings: tuple[Sighting, ...]
    reason: str = ""  # why the image could not be used; empty if it could
    actions: Array | None = None  # chunk for the belief, (T, 12); None without image
    spread: Array | None = None  # one standard deviation of each number, (T, 12)

    @property
    def groundings(self) -> tuple[Grounding, ...]:
        """Best answers only."""
        return tuple(s.grounding for s in self.sightings)


class VisionPipeline:
    """Vision and fusion networks behind one call.

    Stateless between calls; the phrases' vectors are cached by `encode`.
    """

    def __init__(self, vision: Network, fusion: Network, encode: Encode) -> None:
        self._vision, self._fusion, self._encode = vision, fusion, encode
        shapes = {spec.name: spec.shape for spec in fusion.contract.inputs}
        self._blank = np.zeros(int(shapes["belief"][1]), np.float32)

    @staticmethod
    def load(
        encode: Encode,
        precision: Precision = "int8",
        *,
        threads: int = 1,
        folder: Path | None = None,
    ) -> VisionPipeline:
        """The shipped networks, or those of another folder.

        Raises:
            ModelError: a file is missing or is not what its contract says.
        """
        vision, fusion = (
            weights_path(name, precision) for name in ("vision", "fusion")
        )
        if folder is not None:
            vision, fusion = folder / vision.name, folder / fusion.name
        return VisionPipeline(
            Session.load(vision, threads=threads),
            Session.load(fusion, threads=threads),
            encode,
        )

    @property
    def weights(self) -> str:
        """Which networks these are: the sha256 of each, shortened."""
        networks = (self._vision, self._fusion)
        return "-".join(network.contract.sha256[:12] for network in networks)

    def look(
        self,
        image: Image | None,
        phrases: Mapping[str, str],
        *,
        belief: Array | None = None,
    ) -> Look:
        """Find named things in one image, and act on a belief.

        Args:
            image: the head camera's newest frame; None if there is none.
            phrases: role -> noun phrase, as in `Goal.phrases`; may be empty.
            belief: `brain.policy.belief.features` of what was known before, (F,).

        Returns:
            A look without sightings, but with a reason, if the image cannot be used.
        """
        if image is None:
            return Look(
                stamp_ns=0, sightings=(), reason="no image from the head camera"
            )
        fault = find_fault(image)
        if fault:
            return Look(stamp_ns=image.stamp_ns, sightings=(), reason=fault)
        frame = prepare(image)
        out = self._vision.run({"image": frame.image})
        seen = Seen(
            stamp_ns=image.stamp_ns,
            features=out["features"],
            tokens=out["tokens"],
            native=frame.native,
            camera=frame.camera,
            up=frame.up,
            X_BC=image.X_BC,
        )
        named = phrases or _NOTHING_NAMED
        answer = ground(
            self._fusion,
            seen,
            tuple(self._ask(role, phrase) for role, phrase in named.items()),
            belief=self._blank if belief is None else belief,
        )
        return Look(
            stamp_ns=image.stamp_ns,
            sightings=answer.sightings if phrases else (),
            actions=answer.actions,
            spread=answer.spread,
        )

    def _ask(self, role: str, phrase: str) -> Ask:
        tokens, mask = self._encode(phrase)
        return Ask(role=role, phrase=phrase, tokens=tokens, mask=mask)
