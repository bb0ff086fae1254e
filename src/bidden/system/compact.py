"""The policy that we trained, wired up: look, remember, believe, act.

Each call looks once and acts once. The action heads read the point that the tracker
holds, so a hidden or half-seen thing does not lose its place.
"""

from __future__ import annotations

import numpy as np

from bidden.brain.language.encoder import Encoder
from bidden.brain.models import Precision
from bidden.brain.perception import Look, Tracker, VisionPipeline, find_ambiguity
from bidden.brain.perception.ambiguity import Ambiguity
from bidden.brain.perception.support import support_height
from bidden.brain.policy.belief import UNKNOWN_BELOW, Belief, features, mirror_actions
from bidden.brain.policy.build import build_belief
from bidden.core.messages import (
    LEFT,
    ActionChunk,
    Array,
    Goal,
    Grounding,
    Image,
    Observation,
    Skill,
)
from bidden.robot.kinematics import Kinematics

from .executor import still_actions

CHUNK_STEPS = 8
NEEDS_SIGHT = frozenset({Skill.WALK_TO, Skill.FACE, Skill.PICK, Skill.PUT})
MAY_BE_TWICE = ("object", "receptacle")  # a landmark is large and has many peaks
SURFACES = 9  # looks at a surface that are remembered
SURFACE_NEAR = 0.8  # [m] from where a surface is measured well
AMBIGUOUS_LOOKS = 3  # looks in a row that must show two things that fit


class CompactPolicy:
    """Vision, memory and action heads behind the Policy port. Not thread-safe."""

    def __init__(self, eyes: VisionPipeline) -> None:
        self._eyes = eyes
        self._tracker = Tracker()
        self._kinematics = Kinematics()
        self._goal: Goal | None = None
        self._fresh = True
        self._doubtful = 0
        self._surfaces: list[float] = []  # heights seen under what is to be picked [m]
        self._hangs = [UNKNOWN_BELOW, UNKNOWN_BELOW]  # [m] from each grip point down

    @staticmethod
    def load(precision: Precision = "int8") -> CompactPolicy:
        """The shipped networks.

        Raises:
            ModelError: a file is missing or is not what its contract says.
            AssetError: the sentence encoder was not fetched.
        """
        return CompactPolicy(VisionPipeline.load(Encoder.load().encode, precision))

    @property
    def name(self) -> str:
        """Recorded with every chunk."""
        return "compact"

    @property
    def weights(self) -> str:
        """Which networks these are, shortened sha256 of both."""
        return self._eyes.weights

    def reset(self, goal: Goal) -> None:
        """A new goal; where things were seen is kept."""
        self._goal, self._fresh, self._doubtful = goal, True, 0
        if goal.skill is Skill.PICK:
            self._surfaces, self._hangs[goal.hand] = [], UNKNOWN_BELOW

    def act(self, observation: Observation) -> ActionChunk:
        """The next chunk; one that stands still, with a note, if it cannot see."""
        goal, image = observation.goal, observation.images.get("head")
        if self._fresh and goal.phrases:  # look before the first step
            self._take_in(self._look(image, goal, belief=None), observation)
            self._fresh = False
        belief = self._believe(observation)
        look = self._look(image, goal, belief=belief)
        self._take_in(look, observation)
        self._measure(belief, observation)
        if look.reason or look.actions is None or look.spread is None:
            return self._stand(observation, look.reason)
        actions = look.actions.astype(float)
        if goal.hand == LEFT:
            actions = mirror_actions(actions)
        actions[:, 10] = goal.hand
        note = self._question(look) if self._is_before_moving(observation) else ""
        return ActionChunk(
            stamp_ns=observation.stamp_ns,
            actions=actions,
            spread=look.spread.astype(float),
            policy=self.name,
            groundings=self._remembered(observation) or look.groundings,
            searching=goal.skill in NEEDS_SIGHT and not belief.known,
            note=note,
        )

    def find(self, image: Image, phrases: tuple[str, ...]) -> list[Grounding]:
        """Where each phrase is in one image, whatever was seen before."""
        found: list[Grounding] = []
        for phrase in phrases:
            found += self._eyes.look(image, {"landmark": phrase}).groundings
        return found

    def _look(self, image: Image | None, goal: Goal, *, belief: Belief | None) -> Look:
        vector = None if belief is None else features(belief)
        return self._eyes.look(image, goal.phrases, belief=vector)

    def _take_in(self, look: Look, o: Observation) -> None:
        held: dict[str, Array] = {}
        hand = o.goal.hand
        if o.goal.skill is Skill.PICK and self._believe(o).holding:
            X = self._kinematics.hand_poses(o.state.q, o.state.gravity)[hand]
            held["object"] = X[:3, 3]
        self._tracker.update(
            look, base_pose=o.state.base_pose, image=o.images.get("head"), held=held
        )

    def _believe(self, o: Observation) -> Belief:
        role = next(iter(o.goal.phrases), "pose")
        track = self._tracker.track(role, o.state.base_pose)
        known = track is not None and track.phrase in ("", o.goal.phrases.get(role))
        target = track.p_B if track is not None and known else None
        below = self._hangs[o.goal.hand]
        return build_belief(o, role=role, target=target, below=below)

    def _measure(self, belief: Belief, o: Observation) -> None:
        """Learn how far down a thing reaches: from its surface, before it is lifted."""
        if o.goal.skill is not Skill.PICK or "head" not in o.images:
            return
        if not belief.holding:
            height = self._surface_under(o) if belief.known else None
            if height is not None:
                self._surfaces = [*self._surfaces[1 - SURFACES :], height]
        elif self._surfaces and self._hangs[o.goal.hand] == UNKNOWN_BELOW:
            self._hangs[o.goal.hand] = belief.hand[2] - float(np.median(self._surfaces))

    def _surface_under(self, o: Observation) -> float | None:
        track = self._tracker.track("object", o.state.base_pose)
        if track is None or not np.hypot(*track.p_B[:2]) <= SURFACE_NEAR:
            return None
        return support_height(o.images["head"], track.p_B)

    def _remembered(self, o: Observation) -> tuple[Grounding, ...]:
        """The tracked points, for people and the recording."""
        tracks = (self._tracker.track(r, o.state.base_pose) for r in o.goal.phrases)
        return tuple(
            Grounding(
                role=t.role,
                phrase=t.phrase,
                p_B=t.p_B,
                spread_m=t.spread_m,
                confidence=t.confidence,
                stamp_ns=t.stamp_ns,
            )
            for t in tracks
            if t is not None
        )

    def _is_before_moving(self, o: Observation) -> bool:
        return o.goal.skill in NEEDS_SIGHT and o.stamp_ns - o.started_ns < 1_000_000_000

    def _question(self, look: Look) -> str:
        """A question if two things fit in several looks in a row."""
        small = (s for s in look.sightings if s.grounding.role in MAY_BE_TWICE)
        found = [a for s in small if (a := find_ambiguity(s))]
        self._doubtful = self._doubtful + 1 if found else 0
        return _which(found[0]) if self._doubtful >= AMBIGUOUS_LOOKS else ""

    def _stand(self, o: Observation, reason: str) -> ActionChunk:
        actions = still_actions(o, CHUNK_STEPS)
        return ActionChunk(
            stamp_ns=o.stamp_ns,
            actions=actions,
            spread=np.zeros_like(actions),
            policy=self.name,
            note=reason or "the networks gave no action",
        )


def _which(a: Ambiguity) -> str:
    n = len(a.places_B)
    where = " and ".join(
        f"{'left' if p[1] > 0.05 else 'right' if p[1] < -0.05 else 'ahead'}, "
        f"{float(np.hypot(p[0], p[1])):.1f} m away"
        for p in a.places_B[:2]
    )
    return f"I see {n} things that could be the {a.phrase} ({where}). Which one?"
