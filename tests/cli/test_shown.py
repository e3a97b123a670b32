"""What reaches the terminal: valid text as it is, and nothing that steers the terminal."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import evonas_cli
from evonas_cli.cli import common
from evonas_cli.cli.app import run
from evonas_cli.core.display import steers

TOY = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=3")
NAMES = ["a\u00a0b", "1\u202f000", "👩\u200d👩\u200d👧", "e\u0301", "نص", "עברית"]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def calm(text: str) -> bool:
    return not any(steers(line) for line in text.split("\n"))


@pytest.mark.parametrize("name", NAMES)
def test_valid_names_are_taken_and_shown_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TOY, "--run-dir", name, "--quiet"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == name
    for verb in ("show", "pareto", "verify", "resume"):
        assert run([verb, name]) == 0
    assert run(["show", "nothing", "--outputs", name]) == 3
    assert run(["show", name, "99"]) == 3
    assert f"evonas: {name} has no candidate 99" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["a\x1bb", "a\nb", "a\u202eb", "a\udce9b", "a\x9bb"])
def test_words_with_control_characters_are_refused(refused: Callable[..., str], word: str) -> None:
    line = refused(2, "show", word)
    assert "holds control characters" in line and calm(line)
    assert not any(Path().iterdir())


def test_file_names_of_any_bytes_are_listed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([*TOY, "--run-dir", "run", "--quiet"]) == 0
    capfd.readouterr()
    names = ["e\x1b[31m", "b\u202e", "x\udce9y"]
    for name in names:
        day = Path("outputs/2026-01-01")
        (day / name).mkdir(parents=True)
        for file in Path("run").iterdir():
            if file.is_file():
                os.link(file, day / name / file.name)
    assert run(["list"]) == 0
    out, _ = capfd.readouterr()
    assert calm(out) and all(shown in out for shown in (r"e\x1b[31m", r"b\u202e", r"x\udce9y"))
    assert run(["list", "--json"]) == 0
    out, _ = capfd.readouterr()
    assert {row["run"].partition("/")[2] for row in json.loads(out)["runs"]} == set(names) and calm(out)


STEERING = """
from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.spaces.bits import Bits


class Odd(Bits):
    def to_json(self, genome):
        return "".join(map(str, genome)) + "\\x1b[2J\\u202e"

    def from_json(self, data):
        return tuple(map(int, data[: self.length]))
"""


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_genomes_of_users_steer_nothing(
    form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("conf/space").mkdir(parents=True)
    Path("conf/space/odd.yaml").write_text("_target_: odd_space.Odd\nlength: 8\n")
    Path("odd_space.py").write_text(STEERING)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    own, allow = ("--config-dir", "conf"), ("--allow-module", "odd_space")
    search = ("search", "space=odd", *TOY[2:], *own, *allow, "--run-dir", "run", *form)
    for words in (
        search,
        ("show", "run", *allow, *form),
        ("show", "run", "0", *allow, *form),
        ("pareto", "run", *allow),
    ):
        assert run(list(words)) == 0
        out, error = capsys.readouterr()
        assert calm(out) and calm(error) and ("u202e" in out or words[:3] == ("show", "run", "--allow-module"))
        assert not form or words[0] == "pareto" or json.loads(out)


def test_a_terminal_without_unicode_gets_escapes_and_valid_json() -> None:
    assert run([*TOY, "--run-dir", "é", "--quiet"]) == 0
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    for words, shown in ((("show", "é"), b"\\xe9"), (("show", "é", "--json"), b'"run": "\\u00e9"')):
        command = [sys.executable, "-m", "evonas_cli", *words]
        done = subprocess.run(command, env=plain, capture_output=True)
        assert done.returncode == 0 and shown in done.stdout, done.stderr


def test_every_verb_prints_through_one_place() -> None:
    for path in sorted((Path(evonas_cli.__file__).parent / "cli").glob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        assert not prints or path.name == Path(common.__file__).name, f"{path.name} prints by itself"


@pytest.mark.parametrize("verb", ["spaces", "help", "list --json", "strategies genetic", "config"])
def test_pipes_that_are_closed_and_disks_that_are_full(verb: str) -> None:
    command = f"{sys.executable} -m evonas_cli {verb}"
    line = f"({command}; echo code $? >&2) | head -0; {command} > /dev/full; echo code $? >&2"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    expected = "code 0\nevonas: the system: No space left on device\ncode 4\n"
    assert done.stderr == expected or done.stderr == expected.replace("the system", "stdout")
