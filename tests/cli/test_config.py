"""Settings as TOML."""

import tomllib

import pytest

from bidden.cli.commands.config import toml_lines
from bidden.cli.main import main


def test_tree_reads_back_as_toml() -> None:
    tree = {
        "seed": 7,
        "scene": None,
        "policy": 'the "compact" one ä',
        "live": True,
        "limits": {"arm_speed": 3.0, "far": float("inf"), "table": {"low": [0.1, -1]}},
    }
    text = "\n".join(toml_lines(tree))
    assert "# scene is not set" in text
    assert tomllib.loads(text) == {k: v for k, v in tree.items() if v is not None}


def test_show_prints_every_setting_with_the_flags_in_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["config", "show", "--seed", "9", "--policy", "expert"]) == 0
    tree = tomllib.loads(capsys.readouterr().out)
    assert tree["session"]["seed"] == 9
    assert tree["session"]["policy"] == "expert"
    assert tree["limits"]["arm_speed"] == 3.0
    assert set(tree) == {"session", "orchestrator", "executor", "limits"}
