from __future__ import annotations

import os
import subprocess

import pytest

from bidden.adapters.sim import gl
from bidden.core.errors import ConfigError, RobotError


@pytest.fixture(autouse=True)
def _linux_without_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "")  # restored afterwards
    monkeypatch.delenv("MUJOCO_GL")
    monkeypatch.setenv("LP_NUM_THREADS", "")
    monkeypatch.delenv("LP_NUM_THREADS")
    monkeypatch.setattr("sys.platform", "linux")


def _machine(
    monkeypatch: pytest.MonkeyPatch, *libraries: str, egl_devices: int = 0
) -> None:
    monkeypatch.setattr(gl, "_loads", lambda name: name in libraries)
    monkeypatch.setattr(gl, "_egl_devices", lambda: egl_devices)


def test_egl_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, "libOpenGL.so.0", "libOSMesa.so.8", egl_devices=1)
    assert gl.choose_gl() == "egl"
    assert os.environ["MUJOCO_GL"] == "egl"
    assert os.environ["LP_NUM_THREADS"] == "1"


def test_egl_without_a_driver_falls_back_to_osmesa(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _machine(monkeypatch, "libOpenGL.so.0", "libOSMesa.so.8")
    assert gl.choose_gl() == "osmesa"


def test_the_users_choice_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, "libOpenGL.so.0", egl_devices=1)
    monkeypatch.setenv("MUJOCO_GL", "OSMESA")
    monkeypatch.setenv("LP_NUM_THREADS", "4")
    assert gl.choose_gl() == "osmesa"
    assert os.environ["LP_NUM_THREADS"] == "4"


def test_misspelt_choice_gets_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "osmeas")
    with pytest.raises(ConfigError, match="unknown MUJOCO_GL 'osmeas'; did you mean"):
        gl.choose_gl()


def test_bare_machine_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch)
    with pytest.raises(RobotError) as caught:
        gl.choose_gl()
    assert "apt-get install -y libegl1 libegl-mesa0 libopengl0" in str(caught.value)
    assert "apt-get install -y libosmesa6" in str(caught.value)


def test_probe_reports_the_last_line_of_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = subprocess.CompletedProcess("", 1, "", "Traceback:\n  at\nOops: no GL\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    assert gl.probe_gl() == (False, "Oops: no GL")


def test_packages_follow_the_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gl.apt_packages() == gl.EGL_PACKAGES
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    assert gl.apt_packages() == gl.OSMESA_PACKAGES
