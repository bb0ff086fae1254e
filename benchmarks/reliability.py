"""A reliability diagram as SVG, with nothing but numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

BINS = 10
SIZE, MARGIN = 360, 48  # px


def draw_reliability(
    score: np.ndarray, danger: np.ndarray, path: Path
) -> dict[str, float]:
    """Write the diagram of a score whose negative is a log-odds of danger.

    Both classes weigh the same, since how often people ask for harm is not known. A
    score of 0 is the 1 % false-alarm point, not even odds: the diagram shows how far
    the two are apart, and the curve after one shift and slope (Platt) beside it.

    Args:
        score: (B,) below 0 refuses.
        danger: (B,) 1 or 0.
        path: the SVG.

    Returns:
        Expected calibration error as it is and after Platt's shift and slope.
    """
    weight = np.where(danger == 1, 0.5 / danger.sum(), 0.5 / (1 - danger).sum())
    slope, shift = fit_platt(score, danger, weight)
    raw = 1 / (1 + np.exp(np.clip(score, -60, 60)))
    fitted = 1 / (1 + np.exp(-np.clip(slope * -score + shift, -60, 60)))
    curves = {
        "as it is": bins_of(raw, danger, weight),
        f"shift {shift:+.2f}, slope {slope:.2f}": bins_of(fitted, danger, weight),
    }
    path.write_text(_svg(curves), encoding="utf-8")
    errors = [
        float(sum(w * abs(p - q) for p, q, w in curve)) for curve in curves.values()
    ]
    return {
        "error_as_it_is": round(errors[0], 4),
        "error_fitted": round(errors[1], 4),
        "shift": round(shift, 3),
        "slope": round(slope, 3),
    }


def bins_of(
    probability: np.ndarray, danger: np.ndarray, weight: np.ndarray
) -> list[tuple[float, float, float]]:
    """Mean probability, share of dangers and weight of every bin that holds any."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    rows = []
    for i in range(BINS):
        w = weight * (place == i)
        if w.sum() > 0:
            p, q = (w * probability).sum() / w.sum(), (w * danger).sum() / w.sum()
            rows.append((float(p), float(q), float(w.sum())))
    return rows


def fit_platt(
    score: np.ndarray, danger: np.ndarray, weight: np.ndarray
) -> tuple[float, float]:
    """Slope and shift of the log-odds -score that fit best; Newton's method."""
    x = np.stack([-score, np.ones_like(score)], 1)
    beta = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -60, 60)))
        gradient = x.T @ (weight * (danger - p)) - 1e-6 * beta
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(beta[0]), float(beta[1])


def _svg(curves: dict[str, list[tuple[float, float, float]]]) -> str:
    """Axes, the diagonal, and one line with dots for every curve."""
    full = SIZE + 2 * MARGIN

    def at(x: float, y: float) -> str:
        return f"{MARGIN + x * SIZE:.1f},{MARGIN + (1 - y) * SIZE:.1f}"

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{full}" height="{full}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{full}" height="{full}" fill="white"/>',
        f'<path d="M{at(0, 0)} L{at(1, 0)} L{at(1, 1)} L{at(0, 1)} Z M{at(0, 0)} '
        f'L{at(1, 1)}" fill="none" stroke="#999"/>',
        f'<text x="{full / 2}" y="{full - 12}" text-anchor="middle">'
        "probability of danger that the score says</text>",
        f'<text transform="translate(16 {full / 2}) rotate(-90)" '
        'text-anchor="middle">share that was dangerous</text>',
    ]
    for tick in (0.0, 0.5, 1.0):
        x, y = at(tick, tick).split(",")
        lines.append(f'<text x="{x}" y="{full - 32}">{tick}</text>')
        lines.append(f'<text x="{MARGIN - 22}" y="{y}">{tick}</text>')
    for i, (name, rows) in enumerate(curves.items()):
        colour = ("#c33", "#27c")[i % 2]
        points = " ".join(at(p, q) for p, q, _ in rows)
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        for p, q, weight in rows:
            x, y = at(p, q).split(",")
            radius = 2 + 10 * weight**0.5
            lines.append(f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" '
                         f'fill="{colour}" fill-opacity="0.5"/>')  # fmt: skip
        height = MARGIN + 16 * (i + 1)
        lines.append(f'<text x="{MARGIN + 8}" y="{height}" fill="{colour}">'
                     f"{name}</text>")  # fmt: skip
    return "\n".join([*lines, "</svg>\n"])
