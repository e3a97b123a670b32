"""Folders of --config-dir with files that cannot be read: each is one line, and no other file suffers from it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import evonas_cli
from evonas_cli.cli.app import run
from evonas_cli.config.folders import conf_root

GOOD = b"_target_: evonas_cli.spaces.bits.Bits\nlength: 8\n"
BAD = {
    "listed": (b"- a\n", "own/space/listed.yaml holds a list"),
    "latin": (GOOD + b"# \xe9\n", "own/space/latin.yaml, line 3: this is not UTF-8"),
    "broken": (b"a: [1,\nb: {", "own/space/broken.yaml, line 2: this is no YAML"),
    "foreign": (b"_target_: foreign.Space\n", "pass --allow-module foreign if you trust it"),
    "empty": (b"", "space._target_ is None"),
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good and bad files, below the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "own" / "space"
    folder.mkdir(parents=True)
    for name, (data, _) in BAD.items():
        (folder / f"{name}.yaml").write_bytes(data)
    (folder / "good.yaml").write_bytes(GOOD)
    (folder / "ended.yml").write_bytes(GOOD)
    return folder


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize(
    "words", [("search", "{}", "--dry-run"), ("config", "{}"), ("sweep", "{}", "--dry-run"), ("spaces",)], ids=str
)
def test_a_bad_file_that_is_asked_for_is_exit_2(
    own: Path, refused: Callable[..., str], words: tuple[str, ...], name: str
) -> None:
    chosen = [word.format(f"space={name}") for word in words] if len(words) > 1 else ["spaces", name]
    job = [] if words == ("spaces",) else ["job=landscape", "strategy=random"]
    assert BAD[name][1] in refused(2, *chosen, *job, "--config-dir", "own")


def test_another_ending_is_exit_2(own: Path, refused: Callable[..., str]) -> None:
    line = "own/space/ended.yml must end in .yaml; rename it to ended.yaml"
    assert line in refused(2, "search", "space=ended", "--config-dir", "own")
    assert line in refused(2, "spaces", "ended", "--config-dir", "own")


def test_a_listing_shows_what_is_good(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["spaces", "--config-dir", "own"]) == 0
    shown = capsys.readouterr()
    names = [line.split()[0] for line in shown.out.splitlines()]
    assert "good" in names and "nasnet" in names and not set(names) & {*BAD, "ended"}
    lines = shown.err.splitlines()
    assert len(lines) == len(BAD) + 1
    for name in (*BAD, "ended"):
        assert sum(f"own/space/{name}.y" in line for line in lines) == 1, lines


@pytest.mark.parametrize("verb", ["spaces", "strategies", "datasets"])
def test_a_folder_that_is_none(verb: str, refused: Callable[..., str]) -> None:
    assert "--config-dir nowhere is no folder" in refused(2, verb, "--config-dir", "nowhere")


def test_bad_files_of_others_do_not_hide_what_is_wrong(own: Path, refused: Callable[..., str]) -> None:
    line = refused(2, "search", "space=good", "--config-dir", "own")
    assert "needs a space that is Buildable, which Bits is not; jobs that serve Bits: landscape" in line


def test_python_without_texts_says_so(evonas: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    for words in (("spaces", "bits"), ("strategies", "--json")):
        done = evonas(*words, env={"PYTHONOPTIMIZE": "2"})
        assert done.returncode == 0 and "(length" not in done.stdout
        assert done.stderr.count("\n") == 1 and "-OO or PYTHONOPTIMIZE=2" in done.stderr


def test_nothing_depends_on_asserts(evonas: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    toy = ("search", "space=bits", "job=landscape", "budget.evaluations=20", "--quiet", "--run-dir")
    plain, stripped = evonas(*toy, "a"), evonas(*toy, "b", env={"PYTHONOPTIMIZE": "2"})
    assert (plain.returncode, stripped.returncode) == (0, 0), stripped.stderr
    assert plain.stdout.splitlines()[:-1] == stripped.stdout.splitlines()[:-1]


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys\nfrom evonas_cli.cli.app import run\n"
        f"os.chdir({str(gone)!r})\nos.rmdir({str(gone)!r})\n"
        "assert run(['spaces', 'bits']) == 0\n"
        f"sys.exit(run(['search', 'space=bits', 'job=landscape', '--run-dir', {str(tmp_path / 'run')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (4, "evonas: the current folder is gone; cd into one that is there\n")


def test_evonas_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    place = tmp_path / "odd,a=b (ö) ['x'] ${y}"
    for folder in (Path(evonas_cli.__file__).parent, conf_root()):
        shutil.copytree(folder, place / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    words = ["-m", "evonas_cli", "config", "experiment=amoebanet_small", "strategy=random", "--json"]
    done = subprocess.run([sys.executable, *words], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["strategy"]["_target_"] == "evonas_cli.strategies.random.RandomSearch"
    code = "import evonas_cli; print(evonas_cli.__file__)"
    where = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True)
    assert where.stdout.startswith(str(place))
