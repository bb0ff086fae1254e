"""Light copies of the robot's visual meshes: vertex clustering, cached on disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import mujoco
import numpy as np

from bidden.core.errors import AssetError
from bidden.core.messages import Array

CELL = 0.010  # [m] clustering cell: 8-14 mm look the same at 480 px, see docs


def _read_stl(path: Path) -> Array:
    """Triangles of a binary STL, (N, 3, 3)."""
    data = path.read_bytes()
    count = int.from_bytes(data[80:84], "little")
    if len(data) < 84 + 50 * count:
        raise AssetError(f"mesh '{path}' is truncated; run `make setup` to mend it")
    kind = np.dtype([("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    return np.asarray(np.frombuffer(data[84 : 84 + 50 * count], dtype=kind)["v"])


def cluster(triangles: Array, cell: float) -> tuple[Array, Array]:
    """Merge all vertices of a cell into their mean; returns vertices and faces."""
    v = triangles.reshape(-1, 3)
    keys = np.floor(v / cell).astype(np.int64)
    _, inverse = np.unique(keys, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    count = np.bincount(inverse)
    mean = np.stack(
        [np.bincount(inverse, weights=v[:, k]) / count for k in range(3)], axis=1
    )
    f = inverse.reshape(-1, 3)
    f = f[(f[:, 0] != f[:, 1]) & (f[:, 1] != f[:, 2]) & (f[:, 0] != f[:, 2])]
    _, first = np.unique(np.sort(f, axis=1), axis=0, return_index=True)
    used, faces = np.unique(f[np.sort(first)], return_inverse=True)
    return mean[used].astype(np.float32), faces.reshape(-1, 3).astype(np.int32)


def _light_mesh(path: Path, cell: float) -> tuple[Array, Array]:
    cached = path.parent / "light" / f"{path.stem}_{round(cell * 1e3)}mm.npz"
    if cached.exists():
        try:
            with np.load(cached, allow_pickle=False) as file:
                return file["v"], file["f"]
        except (OSError, ValueError, KeyError):
            cached.unlink(missing_ok=True)  # a torn cache file: make it again
    v, f = cluster(_read_stl(path), cell)
    cached.parent.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=cached.parent, suffix=".npz")
    os.close(handle)
    np.savez(temporary, v=v, f=f)
    Path(temporary).replace(cached)
    return v, f


def lighten(spec: mujoco.MjSpec, folder: Path, *, cell: float = CELL) -> None:
    """Replace every STL mesh of `spec` by its light copy (visual geoms only)."""
    for mesh in spec.meshes:
        if not mesh.file.lower().endswith(".stl"):
            continue
        v, f = _light_mesh(folder / Path(mesh.file).name, cell)
        mesh.file = ""
        mesh.uservert = v.ravel()
        mesh.userface = f.ravel()
        mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
        mesh.smoothnormal = 0
