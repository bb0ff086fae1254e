"""Settings as TOML."""

import tomllib

from bidden.cli.commands.config import toml_lines


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
