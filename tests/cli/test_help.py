"""Help is printed as help on stdout, in every way in which people ask for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evonas_cli.cli.app import app, run

VERBS = [command.name or "" for command in app.registered_commands]


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) == 0
    out, error = capsys.readouterr()
    assert error == ""
    return out


@pytest.mark.parametrize("words", [(), ("-h",), ("--help",), ("help",)])
def test_the_whole(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, *words).splitlines()
    assert lines[0] == "Usage: evonas [OPTIONS] COMMAND [ARGS]..." and len(lines) > 20
    assert any(line.split()[:1] == ["search"] for line in lines)


@pytest.mark.parametrize("verb", [*VERBS, "bench"])
def test_a_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb
    text = printed(capsys, verb, "-h")
    assert text.startswith(f"Usage: evonas {verb} ")
    assert text == printed(capsys, verb, "--help") == printed(capsys, "help", verb)


def test_verbs_within_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "bench") == printed(capsys, "help", "bench")
    text = printed(capsys, "help", "bench", "engine")
    assert text.startswith("Usage: evonas bench engine ") and text == printed(capsys, "bench", "engine", "-h")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("serch",), "evonas has no command 'serch'; did you mean search?; see `evonas --help`"),
        (("bench", "engin"), "evonas bench has no command 'engin'; did you mean engine?; see `evonas bench --help`"),
        (("show", "run"), "evonas show has no command 'run'; see `evonas show --help`"),
    ],
)
def test_an_unknown_verb(refused: Callable[..., str], words: tuple[str, ...], expected: str) -> None:
    assert expected in refused(2, "help", *words)
