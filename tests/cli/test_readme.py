"""The README's transcript is run: every command works and prints lines of the shape that is shown."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def commands() -> list[tuple[list[str], list[str]]]:
    """(words, expected lines) of each command in the console block."""
    [block] = re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((shlex.split(line[2:]), []))
        else:
            found[-1][1].append(line)
    return found


def shape(line: str) -> str:
    """A line without its numbers and spacing; hexadecimal digests count as numbers."""
    return re.sub(r"\s+", " ", re.sub(r"-?\b[0-9a-f]*\d[0-9a-f,.]*\b", "#", line)).strip()


def matches(expected: list[str], printed: list[str]) -> bool:
    """Whether the lines have the expected shapes, `...` standing for any number of lines."""
    pattern = ""
    for wild, lines in groupby(expected, key=lambda line: line == "..."):
        pattern += r"(?:[^\n]*\n)*" if wild else "".join(re.escape(shape(line)) + r"\n" for line in lines)
    return re.fullmatch(pattern, "".join(shape(line) + "\n" for line in printed)) is not None


def test_the_matcher_can_fail() -> None:
    assert matches(["a 1", "...", "b"], ["a 22", "x", "y", "b"])
    assert not matches(["a 1", "...", "b"], ["a 22", "x", "c"])
    assert not matches(["a 1"], ["a 1", "a 1"])
    assert shape("digest 5f7a2b") == shape("digest 00ff11aa")


def test_the_transcript_runs(tmp_path: Path) -> None:
    transcript = commands()
    assert len(transcript) == 6, "search, retrain, export, explain, report, verify"
    for words, expected in transcript:
        assert words[0] == "evonas"
        done = subprocess.run(
            [sys.executable, "-m", "evonas_cli", *words[1:]], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert matches(expected, done.stdout.splitlines()), f"{words}: {done.stdout}"


def test_every_command_and_file_it_names_exists() -> None:
    text = README.read_text(encoding="utf-8")
    root = README.parent
    for name in set(re.findall(r"(?:scripts|docs)/[\w.]+|CONTRIBUTING\.md", text)):
        assert (root / name).exists(), name
    for folder in ("strategy", "space", "dataset"):
        names = {path.stem for path in (root / "conf" / folder).glob("*.yaml")} - {"folder", "npz"}
        missing = sorted(name for name in names if f"`{name}`" not in text)
        assert not missing, f"README.md does not name {folder} {missing}"
