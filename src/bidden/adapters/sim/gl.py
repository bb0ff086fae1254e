"""Which OpenGL draws the cameras: chosen before MuJoCo is imported."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import Literal, get_args

from bidden.core.errors import ConfigError, RobotError, unknown_name

Backend = Literal["egl", "osmesa", "glfw", "cgl"]
EGL_PACKAGES = "libegl1 libegl-mesa0 libopengl0 libgl1-mesa-dri"
OSMESA_PACKAGES = "libosmesa6"
_PROBE_TIMEOUT_S = 60.0
_PROBE = """
from bidden.adapters.sim.gl import choose_gl
backend = choose_gl()
import mujoco
world = '<mujoco><worldbody><light pos="0 0 3"/><geom size="1"/>'
world += '<camera pos="0 0 4"/></worldbody></mujoco>'
model = mujoco.MjModel.from_xml_string(world)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data, camera=0)
    assert renderer.render().max() > 0, "the picture is black"
print(backend)
"""


def choose_gl() -> Backend:
    """Set `MUJOCO_GL` to what works here, unless the user has set it.

    Call it before the first import of mujoco. The software renderer is held to one
    thread, so that parallel episodes do not fight over cores.

    Raises:
        ConfigError: `MUJOCO_GL` names no backend.
        RobotError: nothing can draw; says which packages would mend it.
    """
    os.environ.setdefault("LP_NUM_THREADS", "1")
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    for backend in get_args(Backend):
        if chosen == backend:
            return _set(backend)
    if chosen:
        raise ConfigError(unknown_name("MUJOCO_GL", chosen, get_args(Backend)))
    if sys.platform == "darwin":
        return _set("cgl")
    if _loads("libOpenGL.so.0") and _egl_devices() > 0:
        return _set("egl")
    if _loads("libOSMesa.so.8") or _loads("libOSMesa.so.6") or _loads("libOSMesa.so"):
        return _set("osmesa")
    raise RobotError(
        "no OpenGL to draw the cameras with: neither EGL nor OSMesa loads; install"
        f" one of them: apt-get install -y {EGL_PACKAGES}"
        f" (or: apt-get install -y {OSMESA_PACKAGES})"
    )


def apt_packages() -> str:
    """The Debian packages that bring the chosen OpenGL, EGL where none is chosen."""
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    return OSMESA_PACKAGES if chosen == "osmesa" else EGL_PACKAGES


def probe_gl() -> tuple[bool, str]:
    """Draw one small picture in a process of its own.

    Returns:
        Whether it worked, and the backend's name or else the last line of the error.
    """
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return False, f"no picture within {_PROBE_TIMEOUT_S:.0f} s"
    if ended.returncode == 0:
        return True, ended.stdout.strip()
    lines = [line for line in ended.stderr.splitlines() if line and line[0] != " "]
    return False, lines[-1] if lines else f"ended with {ended.returncode}"


def _set(backend: Backend) -> Backend:
    os.environ["MUJOCO_GL"] = backend
    return backend


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _egl_devices() -> int:
    """Number of devices that EGL offers; the library alone loads without a driver."""
    try:
        egl = ctypes.CDLL("libEGL.so.1")
        find = egl.eglGetProcAddress
    except (OSError, AttributeError):
        return 0
    find.restype, find.argtypes = ctypes.c_void_p, (ctypes.c_char_p,)
    address = find(b"eglQueryDevicesEXT")
    if not address:
        return 0
    query = ctypes.CFUNCTYPE(
        ctypes.c_uint32, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p
    )(address)
    count = ctypes.c_int32(0)
    return count.value if query(0, None, ctypes.byref(count)) else 0
