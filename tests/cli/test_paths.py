"""Paths with any letters, and `~`, wherever the command takes a path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks import searches

from evonas_cli.cli.app import run
from evonas_cli.config.overrides import parse

TOY = ("space=bits", "space.length=6", "job=landscape", "strategy=random", "budget.evaluations=3")
TRAINED = (
    *("space=hyperparameters", "strategy=random", "evaluator=serial", "trainer.epochs=1", "budget.evaluations=1"),
    *("objectives=[valid_error]", "dataset=npz", "dataset.test_fraction=0.2", "device=cpu"),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own; the current folder is another."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


@pytest.fixture
def images(home: Path) -> str:
    """The path below home of an .npz file with special letters."""
    place = home / "my (new) files"
    place.mkdir()
    x = np.random.default_rng(0).integers(0, 255, (60, 8, 8, 1)).astype(np.uint8)
    np.savez(place / "ö=1,2.npz", x_train=x, y_train=np.arange(60) % 3)
    return "my (new) files/ö=1,2.npz"


def test_data_with_special_letters_is_trained_on(home: Path, images: str) -> None:
    assert run(["search", *TRAINED, f"dataset.path=~/{images}", "--run-dir", "short", "--quiet"]) == 0
    assert f"path: ~/{images}" in Path("short/config.yaml").read_text(encoding="utf-8")
    assert run(["resume", "short", f"dataset.path={home / images}", "budget.evaluations=2", "--quiet"]) == 0
    assert len(Path("short/journal.jsonl").read_text().splitlines()) == 2


def test_a_sweep_takes_such_paths(home: Path, images: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b ö.npz", "c ü.npz"):
        (home / name).write_bytes((home / images).read_bytes())
    words = ["sweep", *TRAINED, "--dry-run"]
    assert run([*words, "seed=0,1", f"dataset.path='~/{images}'"]) == 0
    assert "2 children" in capsys.readouterr().out
    assert run([*words, f"dataset.path='~/{images}',~/b"]) == 2
    assert "quote each that holds a comma" in capsys.readouterr().err
    assert run([*words, "dataset.path=~/b ö.npz,~/c ü.npz"]) == 0
    assert "2 children" in capsys.readouterr().out
    assert run([*words, "dataset.path=~/b ö.npz,~/b ö.npz"]) == 2
    assert "twice" in capsys.readouterr().err


def test_options_begin_at_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "own" / "space").mkdir(parents=True)
    (home / "own" / "space" / "mine.yaml").write_text("_target_: evonas_cli.spaces.bits.Bits\nlength: 6\n")
    own = ["space=mine", *TOY[2:], "--config-dir=~/own", "--quiet"]
    assert run(["search", *own, "--run-dir=~/run"]) == 0
    assert run(["search", *TOY, "seed=1", "run.outputs=~/outputs", "--quiet"]) == 0
    assert run(["sweep", *TOY, "seed=2", "--outputs=~/outputs", "--name=s", "--quiet"]) == 0
    for words in (["show", "~/run"], ["pareto", "run", "--outputs=~"], ["verify", "~/run"], ["list", "--outputs=~"]):
        assert run(words) == 0, words
    assert run(["compare", "~/run", "~/outputs", "--vary", "space", "--plot=~/plot.svg"]) == 0
    assert run(["sweep", "status", "~/outputs/sweep-s"]) == 0
    assert not any(Path().iterdir())
    assert sorted(path.name for path in home.iterdir()) == ["outputs", "own", "plot.svg", "run"]


@pytest.mark.parametrize(
    "words",
    [
        ("search", *TOY, "--run-dir=~no-such-user/x"),
        ("search", *TOY, "run.outputs=~no-such-user/x", "--dry-run"),
        ("search", *TRAINED, "dataset.path=~no-such-user/x", "--dry-run"),
        ("search", "space=nasbench201", "job=table", "job.path=~no-such-user/x", "--dry-run"),
        ("spaces", "--config-dir=~no-such-user/x"),
        ("list", "--outputs=~no-such-user/x"),
        ("show", "~no-such-user/x"),
        ("compare", "~no-such-user/x"),
        ("sweep", "status", "~no-such-user/x"),
    ],
    ids=" ".join,
)
def test_the_home_of_nobody(words: tuple[str, ...], refused: Callable[..., str]) -> None:
    assert "~no-such-user is the home of no user here" in refused(2, *words)
    assert not any(Path().iterdir())


@pytest.mark.parametrize("root", ["/a,b (c) = 'ö'", "[x]", "null", "back\\slash, x"])
def test_scripts_pass_paths_as_they_are(root: str) -> None:
    for name, key in (("npz", "dataset.path"), ("cifar10", "dataset.root")):
        [text] = [text for text in searches._data(name, root, None) if text.startswith(f"{key}=")]
        assert parse(text).value() == root


def test_scripts_write_no_path_into_an_override_unquoted() -> None:
    folder = Path(__file__).parents[2] / "scripts"
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        text = path.read_text(encoding="utf-8")
        assert not any(f'f"{key}={{' in text for key in ("dataset.root", "dataset.path", "job.path")), path
