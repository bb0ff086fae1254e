from __future__ import annotations

import numpy as np
import pytest

from bidden.robot.model import cross_matrix, load_model, rotation_from_quat


def test_an_unknown_link_is_named() -> None:
    with pytest.raises(KeyError, match="link 'tail' is not part of the G1"):
        load_model().link_index("tail")


def test_quarter_turn_and_cross_product() -> None:
    R = rotation_from_quat((2**-0.5, 0.0, 0.0, 2**-0.5))
    assert pytest.approx([0, 1, 0]) == R @ [1, 0, 0]
    u, v = np.array([0.1, 0.2, -0.3]), np.array([1.0, -2.0, 0.5])
    assert cross_matrix(u) @ v == pytest.approx(np.cross(u, v))


def test_inertia_is_symmetric_positive_and_the_mass_known() -> None:
    links = load_model().links
    assert sum(link.mass for link in links) == pytest.approx(33.561142)
    for link in links:
        xx, yy, zz, xy, xz, yz = link.inertia
        inertia = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert np.linalg.eigvalsh(inertia).min() > 0
