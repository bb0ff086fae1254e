"""Beliefs without a simulator: random situations, rolled on by a crude model.

The expert is a function of the belief, so it can label situations that never were.
These cover the space broadly and cheaply; play in the simulator then shows the
learner what really happens.
"""

from __future__ import annotations

import numpy as np

from bidden.adapters.sim.experts import CARRY, REST, expert_action, expert_chunk
from bidden.brain.policy.belief import (
    BELOW_SPAN,
    SKILLS,
    UNKNOWN_BELOW,
    Belief,
    features,
)
from bidden.core.messages import Array, Skill

STEPS = 8
_SHARES = {
    Skill.PICK: 0.40,
    Skill.PUT: 0.26,
    Skill.WALK_TO: 0.12,
    Skill.FACE: 0.06,
    Skill.MOVE_BY: 0.10,
    Skill.WAVE: 0.05,
    Skill.STOP: 0.01,
}


def imagine(n: int, seed: int) -> tuple[Array, Array]:
    """Features (n, F) and expert chunks (n, 8, 12) of imagined situations."""
    r = np.random.default_rng((seed, 11))
    xs: list[Array] = []
    ys: list[Array] = []
    chances = np.array([_SHARES[s] for s in SKILLS])
    while len(xs) < n:
        skill = SKILLS[int(r.choice(len(SKILLS), p=chances / chances.sum()))]
        b = _start(r, skill)
        for _ in range(int(r.integers(4, 40))):
            xs.append(features(b))
            ys.append(expert_chunk(b, STEPS).astype(np.float32))
            b = _next(r, b)
    return np.stack(xs[:n]), np.stack(ys[:n])


def _start(r: np.random.Generator, skill: Skill) -> Belief:
    role = {
        Skill.PICK: "object",
        Skill.PUT: "receptacle",
        Skill.MOVE_BY: "pose",
        Skill.WAVE: "pose",
        Skill.STOP: "pose",
    }.get(skill) or str(r.choice(["object", "receptacle", "landmark"]))
    holding = skill is Skill.PUT or (skill is not Skill.PICK and r.random() < 0.3)
    if skill in (Skill.PICK, Skill.PUT) and r.random() < 0.12:
        holding = not holding
    hand = (CARRY if holding else REST).copy()
    target = _target(r, skill, role)
    if r.random() < 0.5 and skill in (Skill.PICK, Skill.PUT):  # at the table
        target = np.array([r.normal(0.36, 0.05), r.normal(-0.13, 0.06), target[2]])
        if r.random() < 0.7:  # the hand somewhere on its way
            goal = target + r.normal(0, 1, 3) * [0.06, 0.05, 0.05]
            u = r.random()
            hand[:3] = hand[:3] + u * (goal + np.array([-0.03, 0, 0.03]) - hand[:3])
            hand[3:] += r.normal(0, 0.1, 3)
    error = r.normal(0, 0.008, 6)
    return Belief(
        skill=skill,
        role=role,
        known=role == "pose" or r.random() < 0.93,
        target=target,
        target_yaw=float(r.uniform(-3.3, 3.3)) if skill is Skill.MOVE_BY else 0.0,
        hand=hand + error,
        hand_target=hand,
        grip_command=1.0 if holding or r.random() < 0.05 else 0.0,
        grip_width=float(r.uniform(0.025, 0.06)) if holding else 0.09,
        grip_force=float(r.uniform(8, 12)) if holding else float(r.uniform(0, 0.4)),
        base_velocity=r.normal(0, 0.5, 3) * [0.3, 0.2, 0.5] * float(r.random() < 0.6),
        elapsed_s=float(r.uniform(0, 7)) if r.random() < 0.5 else 0.0,
        below=float(r.uniform(*BELOW_SPAN)) if r.random() < 0.85 else UNKNOWN_BELOW,
    )


def _target(r: np.random.Generator, skill: Skill, role: str) -> Array:
    if skill is Skill.MOVE_BY:
        way = r.uniform(-1.0, 2.5) if r.random() < 0.6 else r.normal(0, 0.1)
        return np.array([way, r.normal(0, 0.25), 0.0])
    distance = r.uniform(0.25, 1.2) if r.random() < 0.4 else r.uniform(0.5, 3.4)
    bearing = r.normal(0, 0.5) if r.random() < 0.6 else r.uniform(-np.pi, np.pi)
    z = {
        "object": r.uniform(0.73, 0.92),
        "receptacle": r.uniform(0.40, 0.50)
        if r.random() < 0.25
        else r.uniform(0.73, 0.92),
    }.get(role, float(r.uniform(0.38, 0.86)))
    return np.array([distance * np.cos(bearing), distance * np.sin(bearing), z])


def _next(r: np.random.Generator, b: Belief) -> Belief:
    """One step later: the expert's action, played roughly and with noise."""
    action = expert_action(b)
    action[:3] += r.normal(0, 0.3, 3) * np.array([0.2, 0.15, 0.3])
    action[3:6] += r.normal(0, 0.003, 3)
    sway = r.normal(0, 0.08) if np.any(np.abs(action[:3]) > 0.02) else r.normal(0, 0.01)
    v = 0.4 * b.base_velocity + 0.6 * action[:3] * [0.85, 0.6, 0.95]
    v = v + np.array([r.normal(0, 0.03), sway, r.normal(0, 0.04)])
    turn = float(v[2]) * 0.1
    c, s = np.cos(turn), np.sin(turn)
    p = b.target - np.array([v[0] * 0.1, v[1] * 0.1, 0])
    p = np.array([c * p[0] + s * p[1], -s * p[0] + c * p[1], p[2]])
    p[:2] += r.normal(0, 0.004, 2)
    target = b.hand_target + action[3:9]
    hand = b.hand + 0.6 * (target - b.hand) + r.normal(0, 0.003, 6)
    grip, width, force = float(action[9]), b.grip_width, b.grip_force
    if grip > 0.5:
        over = float(np.linalg.norm(hand[:3] - p)) < 0.04 and b.skill is Skill.PICK
        stops = b.holding or over
        width = max(0.0, min(width, r.uniform(0.035, 0.055) if stops else width - 0.06))
        force = float(r.uniform(8, 12)) if stops or width > 0 else 1.0
    else:
        width, force = min(0.09, width + 0.07), float(r.uniform(0, 0.4))
    if b.skill is Skill.PICK and b.holding:  # what is held goes with the hand
        p = hand[:3] + r.normal(0, 0.006, 3)
    return Belief(
        skill=b.skill,
        role=b.role,
        known=b.known or r.random() < 0.1,
        target=p,
        target_yaw=b.target_yaw - turn,
        hand=hand,
        hand_target=target,
        grip_command=grip,
        grip_width=width,
        grip_force=force,
        base_velocity=v,
        elapsed_s=b.elapsed_s + 0.1,
        below=b.below,
    )
