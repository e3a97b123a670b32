"""`evonas plot`: pictures as files, what each option needs, and refusals before any work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evonas_cli.cli.app import run
from evonas_cli.report.drawing import png

HOSTILE = "<img src=x onerror=alert(1)>"
ONE = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=12", "--quiet")
TWO = (*ONE, "objectives=[valid_error,true_error]", "job.noise=0.3")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of two objectives, of which one has a hostile name, and one of a single objective."""
    folder = tmp_path_factory.mktemp("home")
    assert run([*TWO, "--run-dir", str(folder / HOSTILE)]) == 0
    assert run([*TWO, "seed=1", "--run-dir", str(folder / "second")]) == 0
    assert run([*ONE, "--run-dir", str(folder / "single")]) == 0
    return folder


@pytest.fixture
def plot(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `plot` in that folder; returns stdout, or stderr of a refusal."""
    monkeypatch.chdir(home)

    def call(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert run(["plot", *words]) == code, capsys.readouterr().err
        out, error = capsys.readouterr()
        return out if code == 0 else error

    return call


def shown(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_front_is_the_default(plot: Callable[..., str], tmp_path: Path) -> None:
    for words in ((), ("--front",)):
        target = tmp_path / f"x{len(words)}.svg"
        assert plot(HOSTILE, *words, "-o", str(target)) == f"{target}\n"
    assert (tmp_path / "x0.svg").read_text() == (tmp_path / "x1.svg").read_text()
    assert f"Pareto front of {HOSTILE}" in shown(tmp_path / "x0.svg")


def test_several_runs_share_a_picture(plot: Callable[..., str], tmp_path: Path) -> None:
    for option in ("--front", "--history"):
        plot(HOSTILE, "second", option, "-o", str(tmp_path / "x.svg"))
        texts = shown(tmp_path / "x.svg")
        assert any("second" in text for text in texts) and any(HOSTILE in text for text in texts)


def test_the_history_of_another_metric(plot: Callable[..., str], tmp_path: Path) -> None:
    plot("single", "--history", "--metric", "true_error", "-o", str(tmp_path / "x.svg"))
    assert "true_error (1 - fitness, lower is better)" in shown(tmp_path / "x.svg")


def test_png(plot: Callable[..., str], tmp_path: Path) -> None:
    plot("single", "--history", "-o", str(tmp_path / "x.png"))
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_png_without_its_library(plot: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    line = plot("single", "--history", "-o", str(tmp_path / "x.png"), code=2)
    assert "PNG needs resvg-py; `pip install 'evonas[plot]'`" in line and not (tmp_path / "x.png").exists()


def test_png_without_a_font(plot: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_render", lambda svg: b"the same")
    assert "PNG needs a font" in plot("single", "--history", "-o", str(tmp_path / "x.png"), code=2)


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (2, ("single", "-o", "x.svg"), "single has one objective, and a front needs two; draw its --history"),
        (2, ("second", "single", "-o", "x.svg"), "second and single have other objectives"),
        (2, ("second", "--front", "--history", "-o", "x.svg"), "--front and --history are different pictures"),
        (2, ("second", "-o", "x.gif"), "--output x.gif: a picture is an SVG or a PNG"),
        (2, ("second", "-o", "nowhere/x.svg"), "there is no folder nowhere; make it first"),
        (2, ("second",), "Missing option '--output'"),
        (2, ("second", "--candidate", "3", "-o", "x.svg"), "--candidate chooses learning curves; add --curves"),
        (2, ("second", "--metric", "a", "-o", "x.svg"), "--metric goes with --history or --curves"),
        (2, ("second", "single", "--curves", "-o", "x.svg"), "--curves draws one run, and these are 2"),
        (3, ("second", "--curves", "-o", "x.svg"), "second has no learning curves of candidates ["),
        (3, ("second", "--curves", "--candidate", "99", "-o", "x.svg"), "has no candidate 99"),
        (3, ("nothing", "-o", "x.svg"), "no run 'nothing'"),
        (2, ("", "-o", "x.svg"), "a run's name is empty"),
    ],
)
def test_refusals(code: int, words: tuple[str, ...], expected: str, plot: Callable[..., str], home: Path) -> None:
    line = plot(*words, code=code)
    assert expected in line and len(line.splitlines()) == 1 and not (home / "x.svg").exists()


def test_cells_and_sketches_are_architectures(tmp_path: Path) -> None:
    cells = ("space=rnn_cell", "job=language", "trainer.epochs=1", "dataset.n_train=40", "device=cpu")
    table = tmp_path / "table.csv"
    table.write_text("arch,reward\n|avg_pool_3x3~0|,90\n|nor_conv_1x1~0|,90\n")
    rows = ("space=nasbench201", "space.nodes=2", "space.operations=[avg_pool_3x3,nor_conv_1x1]", "job=table")
    rows += (f"job.path={table}", "job.reward=reward", "job.report=null", "job.cost=null", "job.parameters=null")
    rows += ("job.multiply_adds=null",)
    written = ("space=hyperneat", "job=neurons_evolved", "dataset=digits", "dataset.limit=60", "device=cpu")
    written += ("objectives=[valid_error]",)
    few = ("strategy=random", "strategy.batch=1", "budget.evaluations=1", "evaluator=serial")
    for name, words, expected in (("cell", cells, "h_t"), ("row", rows, "output"), ("written", written, "neurons")):
        assert run(["search", "-q", *words, *few, "--run-dir", str(tmp_path / name)]) == 0
        target = tmp_path / f"{name}.svg"
        assert run(["plot", str(tmp_path / name), "--architecture", "best", "-o", str(target)]) == 0
        assert expected in shown(target)
    assert "cell" in shown(tmp_path / "row.svg"), "each part has its name"
    assert "input 64" not in shown(tmp_path / "written.svg"), "a thousand links are no picture"


def test_a_front_without_members_says_why(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 'constraints={true_error: "<= -1"}'
    run([*TWO, bound, "--run-dir", str(tmp_path / "bound")])
    assert run(["plot", str(tmp_path / "bound"), "-o", str(tmp_path / "x.svg")]) == 0
    assert "No candidate of bound satisfies the constraints, so there is no front." in shown(tmp_path / "x.svg")


def test_ids_on_the_front_can_be_read_over_dots(plot: Callable[..., str], tmp_path: Path) -> None:
    plot(HOSTILE, "-o", str(tmp_path / "x.svg"))
    assert '<text paint-order="stroke" stroke="#fff"' in (tmp_path / "x.svg").read_text()


def test_values_of_one_epoch_are_no_curve(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("dataset.limit=100", "trainer.epochs=1", "device=cpu", "evaluator=serial", "budget.evaluations=1")
    words = ("search", "-q", "dataset=digits", "strategy=random", "strategy.batch=1", *few)
    assert run([*words, "--run-dir", str(tmp_path / "one")]) == 0
    capsys.readouterr()
    assert run(["plot", str(tmp_path / "one"), "--curves", "-o", str(tmp_path / "x.svg")]) == 3
    assert "recorded their values once, so there is no curve to draw" in capsys.readouterr().err
