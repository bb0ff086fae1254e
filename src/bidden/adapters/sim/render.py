"""Off-screen pictures: colour and metric depth from one pass, no shadows."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array

ROBOT_GROUP = 3  # collision geoms, never drawn
HIDDEN_GROUP = 5  # where geoms out of view wait while a picture is drawn


class Renderer:
    """One GL context for one model; not to be shared between threads."""

    def __init__(self, model: mujoco.MjModel, *, width_px: int, height_px: int) -> None:
        self._model = model
        self._gl = mujoco.GLContext(width_px, height_px)
        self._gl.make_current()
        model.vis.quality.offsamples = model.vis.quality.shadowsize = 0
        model.vis.global_.offwidth = width_px
        model.vis.global_.offheight = height_px
        self._context = mujoco.MjrContext(
            model, mujoco.mjtFontScale.mjFONTSCALE_100.value
        )
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._scene = mujoco.MjvScene(model, maxgeom=600)
        for flag in (
            mujoco.mjtRndFlag.mjRND_SHADOW,
            mujoco.mjtRndFlag.mjRND_REFLECTION,
        ):
            self._scene.flags[flag] = 0
        self._options = mujoco.MjvOption()
        self._options.sitegroup[:] = 0
        self._options.geomgroup[[ROBOT_GROUP, HIDDEN_GROUP]] = 0

    def draw(
        self,
        data: mujoco.MjData,
        camera: mujoco.MjvCamera,
        *,
        width_px: int,
        height_px: int,
        depth: bool,
    ) -> tuple[NDArray[np.uint8], Array | None]:
        """RGB (H, W, 3) and, if asked for, depth [m] (H, W) float32."""
        self._gl.make_current()
        view = mujoco.MjrRect(0, 0, width_px, height_px)
        self._update(data, camera, width_px / height_px)
        mujoco.mjr_render(view, self._scene, self._context)
        rgb = np.empty((height_px, width_px, 3), np.uint8)
        z = np.empty((height_px, width_px), np.float32) if depth else None
        mujoco.mjr_readPixels(rgb, z, view, self._context)
        if z is None:
            return rgb[::-1], None
        return rgb[::-1], self._metric(z[::-1])

    def _update(
        self, data: mujoco.MjData, camera: mujoco.MjvCamera, aspect: float
    ) -> None:
        """What the camera may see goes into the scene; the rest costs time only."""
        groups = self._model.geom_group
        before = groups.copy()
        if camera.type == mujoco.mjtCamera.mjCAMERA_FIXED:
            out = out_of_view(self._model, data, camera.fixedcamid, aspect=aspect)
            groups[out] = HIDDEN_GROUP
        mujoco.mjv_updateScene(
            self._model, data, self._options, None, camera,
            mujoco.mjtCatBit.mjCAT_ALL.value, self._scene,
        )  # fmt: skip
        groups[:] = before

    def _metric(self, z: Array) -> Array:
        """Distance along the optical axis [m] from a reversed depth buffer."""
        extent = self._model.stat.extent
        near, far = (
            self._model.vis.map.znear * extent,
            self._model.vis.map.zfar * extent,
        )
        # perspective terms in reversed-Z mode, as in mujoco.Renderer
        c = 0.5 * (far + near) / (far - near) - 0.5
        d = far * near / (far - near)
        return np.asarray(d / (z.astype(np.float64) + c), np.float32)

    def close(self) -> None:
        """Free the context."""
        self._context.free()
        self._gl.free()


def out_of_view(
    model: mujoco.MjModel, data: mujoco.MjData, camera: int, *, aspect: float
) -> NDArray[np.bool_]:
    """Which geoms a camera of the model surely does not see, (G,).

    Args:
        model: the compiled scene.
        data: its state.
        camera: number of the camera.
        aspect: width of the picture over its height.
    """
    p_WC, R_WC = data.cam_xpos[camera], data.cam_xmat[camera].reshape(3, 3)
    right, up, back = ((data.geom_xpos - p_WC) @ R_WC).T
    radius = np.where(model.geom_rbound > 0, model.geom_rbound, np.inf)  # planes: 0
    high = np.tan(np.deg2rad(model.cam_fovy[camera]) / 2)
    wide = high * aspect
    past_side = np.abs(right) + back * wide > radius * np.hypot(1, wide)
    past_top = np.abs(up) + back * high > radius * np.hypot(1, high)
    outside: NDArray[np.bool_] = past_side | past_top | (back > radius)
    return outside
