from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest

from bidden.adapters.sim import gl
from bidden.cli import doctor


@pytest.fixture(autouse=True)
def _bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(gl, "probe_gl", lambda: (True, "egl"))


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    doctor.register(parser.add_subparsers())
    arguments = parser.parse_args(["doctor", *words])
    code: int = arguments.func(arguments)
    return code


def test_empty_cache_ends_with_one_and_the_line_that_mends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _run() == 1
    shown = capsys.readouterr().out
    assert "gait.onnx" in shown
    assert "doctor --mend" in shown


def test_json_is_one_object_with_every_area(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _run("--json") == 1
    report = msgspec.json.decode(capsys.readouterr().out)
    assert report["ok"] is False
    areas = {finding["area"] for finding in report["findings"]}
    assert areas == {"machine", "packages", "drawing", "assets", "networks"}
    bad = [f for f in report["findings"] if f["state"] in ("missing", "wrong")]
    assert all(finding["mend"] for finding in bad)


def test_all_well_ends_with_zero(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = doctor.Finding(area="machine", what="python", state="ok", found="[x]")
    rest = doctor.Finding(area="packages", what="train", state="optional", found="")
    monkeypatch.setattr(doctor, "examine", lambda: [fine, rest])
    assert _run() == 0
    shown = capsys.readouterr().out
    assert "All that is needed is there." in shown
    assert "[x]" in shown


def test_network_that_does_not_match_its_contract_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bidden.brain.models import contract

    promise = contract.Contract(
        schema=contract.SCHEMA,
        name="vision",
        version="1",
        sha256=contract.sha256_of(b"network"),
        inputs=(),
        outputs=(),
    )
    monkeypatch.setattr(contract, "WEIGHTS_DIR", tmp_path)
    promise.save(tmp_path / "vision_int8.json")
    onnx = tmp_path / "vision_int8.onnx"
    for data, state in ((b"network", "ok"), (b"netwurk", "wrong")):
        onnx.write_bytes(data)
        rows = {f.what: f for f in doctor.examine()}
        assert rows["vision int8"].state == state
        assert rows["vision fp32"].state == "missing"


def test_failed_mend_is_the_last_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        raise doctor.AssetError("could not fetch gait==1")

    monkeypatch.setattr(doctor.assets, "fetch", refuse)
    assert _run("--mend") == 1
    assert capsys.readouterr().err == "could not fetch gait==1\n"
