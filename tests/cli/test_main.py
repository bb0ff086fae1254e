"""The parser, its help, and how fast it starts."""

import subprocess
import sys
from typing import Any

import pytest

from bidden import __version__
from bidden.cli.exits import Exit, exit_of
from bidden.cli.main import COMMANDS, main, make_parser


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"bidden {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_line_of_help_is_the_one_that_the_command_has(command: str) -> None:
    def line(parser: Any) -> str:
        (subparsers,) = parser._subparsers._group_actions
        return next(
            action.help
            for action in subparsers._choices_actions
            if action.dest == command
        )

    assert line(make_parser(command)) == line(make_parser()) == COMMANDS[command][1]


def test_no_command_shows_the_help_and_is_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    assert 'bidden run "pick up the red cube' in capsys.readouterr().out


def test_wrong_command_and_wrong_flag_are_usage_errors() -> None:
    for argv in (
        ["fly"],
        ["run", "wave", "--fast"],
        ["run"],
        ["run", "x", "--seed", "a"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(argv)
        assert ended.value.code == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"bidden {__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom bidden.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "rich", "msgspec", "mujoco"} & set(ended.stderr.split())


def test_module_can_be_run() -> None:
    command = [sys.executable, "-m", "bidden.cli", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == f"bidden {__version__}\n"


def test_every_status_has_an_exit_code() -> None:
    assert exit_of("done") == Exit.DONE == 0
    assert exit_of("interrupted") == 130
