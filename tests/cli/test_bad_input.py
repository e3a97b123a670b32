"""Bad input of every kind: one line that says what, where and what to do; the documented code; never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.cli.app import run

TOY = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=5")


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in this process in an empty folder; returns the one line on stderr after checking the code."""
    monkeypatch.chdir(tmp_path)

    def check(code: int, *words: str) -> str:
        assert run(list(words)) == code, capsys.readouterr().err
        error = capsys.readouterr().err
        lines = [line for line in error.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, error
        assert lines[0].startswith("evonas: ") and "Traceback" not in error
        return lines[0]

    return check


CONFIGURATIONS = [
    (("strategy=genetc",), "there is no strategy 'genetc'; did you mean genetic? (known: genetic, r"),
    (("space=nasbench",), "did you mean nasbench201?"),
    (("strategy.popsize=3",), "strategy has no key popsize; did you mean population_size?"),
    (("foo=1",), "the configuration has no key foo"),
    (("budget.evaluation=1",), "did you mean evaluations?"),
    (("trainer.epochs.x=1",), "trainer.epochs has no key x"),
    (("seed=abc",), "seed is 'abc'; it must be an integer"),
    (("seed=-1",), "seed is -1; it must be between 0 and"),
    (("window=0",), "window is 0; it must be 1 or more"),
    (("deterministic=maybe",), "deterministic is 'maybe'; it must be true or false"),
    (("strategy.population_size=many",), "strategy.population_size is 'many'; it must be an integer"),
    (("strategy.population_size=1",), "strategy.population_size must be a whole number of at least 2; it is 1"),
    (("strategy=regularized_evolution", "strategy.sample_size=0"), "strategy.sample_size must be"),
    (("strategy.crossover_probability=1.2",), "strategy.crossover_probability must be a number in [0, 1]"),
    (("strategy.elitism=20",), "strategy.elitism must be 0 to 19"),
    (("strategy.selection=tornament",), "strategy.selection"),
    (("objectives=[]",), "name at least one metric"),
    (("objectives=[valid_eror]",), "did you mean valid_error?"),
    (("objectives=valid_error",), "objectives is 'valid_error'; it must be a list"),
    (("objectives=[valid_error,valid_error]",), "each once"),
    (("objectives=[train_seconds]",), "set deterministic=false"),
    (("budget.evaluations=0",), "budget.evaluations is 0; it must be above 0"),
    (("budget.evaluations=null",), "budget has no limit"),
    (("budget.evaluations=10",), "smaller than the initial population of 20"),
    (("job=landscape", "space=bits", "budget.cost=-1"), "budget.cost is -1.0"),
    (("device=gpu",), "device is 'gpu'; it may be auto, cpu, cuda or cuda:N"),
    (("run.name=a/b",), "run.name is 'a/b'"),
    (("run.name=../x",), "run.name is '../x'"),
    (("seed", "=", "1"), "'seed' is no override; write key=value without spaces, e.g. seed=1"),
    (("seed = 1",), "write key=value without spaces"),
    (("--seed=3",), "there is no option --seed; settings are written without dashes: seed=3"),
    (("seed=1,2,3",), "seed=1,2,3 is a sweep; run one search a value"),
    (("seed=range(0,3)",), "is a sweep"),
    (("strategy=random", "strategy=genetic"), "strategy is given twice"),
    (("seed=1", "seed=2"), "seed is given twice"),
    (("+strategy.popsize=3",), "strategy has no key popsize; did you mean population_size?"),
    (("+strategy.population_size=3",), "keys are neither added nor removed"),
    (("++seed=3",), "keys are neither added nor removed; seed exists"),
    (("~strategy=genetic",), "neither added nor removed; strategy exists"),
    (("+strategy=genetic",), "neither added nor removed; strategy exists"),
    (("strategy._target_=os.system",), "outside evonas_cli.strategies; pass --allow-module os if you trust it"),
    (("strategy._target_=evonas_cli.parts.assemble",), "outside evonas_cli.strategies"),
    (("strategy._target_=evonas_cli.strategies.nothing.Here",), "does not exist"),
    (("strategy._target_=evonas_cli.strategies.random.stream",), "does not exist"),
    (("strategy._target_=evonas_cli.strategies.genetic.redraw",), "is no class defined in"),
    (("strategy._target_=evonas_cli.strategies.genetic.UsageError",), "is no class defined in"),
    (("hydra.run.dir=x",), "are not used here"),
    (("space.channels=0",), "space.channels"),
    (("space.channels=[1]",), "space.channels is [1]; it must be an integer"),
    (("trainer.epochs=0",), "trainer.epochs"),
    (("trainer.momentum=1.5",), "trainer.momentum"),
    (("trainer.schedule=cosin",), "trainer.schedule"),
    (("evaluator.workers=0",), "evaluator.workers is 0"),
    (("evaluator=serial", "--workers", "2"), "evaluator has no key workers"),
    (("evaluator.workers=99999999999",), "at most 1024 processes are started"),
    (("--devices", "-1"), "device numbers begin at 0"),
    (("--devices", "0", "device=cpu"), "and device=cpu contradict each other"),
    (("budget=null",), "budget is None; set its keys one by one"),
    (("snapshot=3",), "snapshot is 3; set its keys one by one"),
    (("snapshot.growth=inf",), "snapshot.growth between 1 and 1000"),
    (("--run-dir", "a\udce9b"), "cannot be printed; write plain UTF-8"),
    (("dataset=npz",), "dataset.path must be given"),
    (
        ("space=bits",),
        "job Train needs a space that is Buildable, which Bits is not; spaces that are: nasben",
    ),
    (("job=landscape",), "needs a space that is Scored, which NasBench201 is not; spaces that are: bits, chain_landsc"),
    (("--resume", "must"), "--resume must needs --run-dir"),
    (("--resume", "maybe"), "--resume"),
    (("--config-dir", "nowhere"), "--config-dir nowhere is no folder"),
]


@pytest.mark.parametrize(("words", "expected"), CONFIGURATIONS, ids=[" ".join(row[0])[:50] for row in CONFIGURATIONS])
def test_a_wrong_configuration_is_exit_2(refused: Callable[..., str], words: tuple[str, ...], expected: str) -> None:
    assert expected in refused(2, "search", *words)
    assert not any(Path().iterdir())


def test_a_strategy_that_the_space_cannot_serve(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf" / "space").mkdir(parents=True)
    (tmp_path / "conf" / "space" / "plain.yaml").write_text("_target_: plain_space.Plain\n")
    (tmp_path / "plain_space.py").write_text(
        "class Plain:\n"
        "    def sample(self, rng): return rng.random()\n"
        "    def to_json(self, genome): return genome\n"
        "    def from_json(self, data): return data\n"
        "    def score(self, genome): return genome\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["search", "space=plain", "job=landscape", "--config-dir", "conf"]
    assert "--allow-module plain_space" in refused(2, *words)
    line = refused(2, *words, "--allow-module", "plain_space")
    assert "needs a space that is Linear, which Plain is not; spaces that are: bits, chain_landscape, nas" in line
    fine = [*words, "--allow-module", "plain_space", "strategy=random", "budget.evaluations=3", "--run-dir", "run"]
    assert run(fine) == 0
    for verb in ("show", "pareto", "verify", "resume"):
        assert "uses module plain_space; pass --allow-module plain_space if you trust it" in refused(2, verb, "run")
        assert run([verb, "run", "--allow-module", "plain_space"]) == 0


def test_a_config_folder_may_not_hide_our_files(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "conf" / "strategy").mkdir(parents=True)
    (tmp_path / "conf" / "strategy" / "genetic.yaml").write_text("_target_: x.Y\n")
    assert "has the name of one of evonas' own; rename it" in refused(2, "search", "--config-dir", "conf")


def write_idx(folder: Path, cut: int = 0) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        images = rng.integers(0, 255, (count, 28, 28), dtype=np.uint8).tobytes()
        labels = (np.arange(count) % 10).astype(np.uint8).tobytes()
        raw = struct.pack(">iiii", 2051, count, 28, 28) + images[: len(images) - cut]
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(raw))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(struct.pack(">ii", 2049, count) + labels))


def npz(path: Path, **changes: Any) -> None:
    arrays: dict[str, Any] = {
        "x_train": np.zeros((40, 8, 8), np.uint8),
        "y_train": np.arange(40) % 4,
        "x_test": np.zeros((8, 8, 8), np.uint8),
        "y_test": np.arange(8) % 4,
    }
    arrays |= changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})


DATA: list[tuple[str, dict[str, Any], str]] = [
    ("keys", {"y_train": None, "x_test": None}, "y_train"),
    ("negative label", {"y_train": np.arange(40) % 4 - 1}, "label"),
    ("a class without images", {"y_train": np.where(np.arange(40) % 4 == 3, 9, np.arange(40) % 4)}, "data.npz"),
    ("one image of a class", {"y_train": np.array([0] * 20 + [1] * 19 + [2])}, "class"),
    ("counts differ", {"y_train": np.arange(39) % 4}, "39"),
    ("words as labels", {"y_train": np.array(["a"] * 40)}, "label"),
    ("flat images", {"x_train": np.zeros((40, 64), np.uint8)}, "x_train"),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in DATA], ids=[row[0] for row in DATA])
def test_a_wrong_data_set_is_exit_2(refused: Callable[..., str], changes: dict[str, Any], expected: str) -> None:
    npz(Path("data.npz"), **changes)
    line = refused(2, "search", "dataset=npz", "dataset.path=data.npz", "evaluator=serial", "device=cpu")
    assert expected in line
    assert not Path("outputs").exists()


def test_workers_report_a_wrong_data_set_as_this_process_does(refused: Callable[..., str]) -> None:
    npz(Path("data.npz"), y_train=None)
    words = ["search", "dataset=npz", "dataset.path=data.npz", "device=cpu"]
    assert refused(2, *words, "evaluator=pool") == refused(2, *words, "evaluator=serial")


def test_absent_and_truncated_files(refused: Callable[..., str]) -> None:
    words = ["search", "evaluator=serial", "device=cpu"]
    assert "nowhere.npz" in refused(2, *words, "dataset=npz", "dataset.path=nowhere.npz")
    absent = refused(2, *words, "dataset=fashion_mnist", "dataset.root=empty", "dataset.download=false")
    assert "empty" in absent and "download" in absent
    assert "cifar" in refused(2, *words, "dataset=cifar10", "dataset.root=empty", "dataset.download=false").lower()
    write_idx(Path("cut/FashionMNIST/raw"), cut=100)
    truncated = refused(2, *words, "dataset=fashion_mnist", "dataset.root=cut")
    assert "train-images-idx3-ubyte" in truncated
    assert "nowhere" in refused(2, *words, "dataset=folder", "dataset.root=nowhere")


@pytest.mark.parametrize("evaluator", ["serial", "pool"])
def test_cuda_asked_for_and_absent_is_exit_4(refused: Callable[..., str], evaluator: str) -> None:
    import torch

    device = f"cuda:{torch.cuda.device_count()}"
    assert "pass device=cpu" in refused(4, "search", f"evaluator={evaluator}", f"device={device}")
    assert not Path("outputs").exists()


def test_runs_that_are_in_the_way_or_not_there(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    assert "pass --resume auto" in refused(2, *TOY, "--run-dir", "run")
    Path("full").mkdir()
    Path("full/thesis.tex").touch()
    assert "exists and is not empty" in refused(2, *TOY, "--run-dir", "full")
    assert "holds no run to resume" in refused(3, *TOY, "--run-dir", "other", "--resume", "must")
    for verb in ("resume", "show", "pareto", "verify"):
        assert "no run 'nothing'" in refused(3, verb, "nothing")
        assert "there is no run under outputs/ yet" in refused(3, verb, "latest")
        assert "is no run: it has no run.json" in refused(3, verb, "full")
    assert "has no candidate 77" in refused(3, "show", "run", "77")
    assert "nothing was left to do: the run has its 5 evaluations" in refused(0, "resume", "run", "--quiet")


def test_another_experiment_is_refused_key_by_key(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    changed = refused(3, *TOY, "seed=4", "space.length=50", "--run-dir", "run", "--resume", "auto")
    assert "seed: run has 0, now 4" in changed and "space.length: run has 100, now 50" in changed
    assert "seed: run has 0, now 1" in refused(3, "resume", "run", "seed=1")
    assert "a run keeps its strategy" in refused(2, "resume", "run", "strategy=genetic")
    assert run(["resume", "run", "budget.evaluations=7", "--quiet"]) == 0
    assert "less than the 7 that run has" in refused(2, "resume", "run", "budget.evaluations=6", "--quiet")


def test_corrupt_and_newer_runs_are_exit_3(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    metadata = json.loads(Path("run/run.json").read_text())
    Path("run/run.json").write_text(json.dumps({**metadata, "format": 99, "evonas": "9.0"}))
    assert "use evonas 9.0 or newer" in refused(3, "resume", "run")
    Path("run/run.json").write_text("{")
    assert "run.json is damaged" in refused(3, "resume", "run")
    Path("run/run.json").write_text(json.dumps(metadata))
    config = Path("run/config.yaml").read_text()
    Path("run/config.yaml").write_text("seed: [")
    assert "config.yaml is damaged" in refused(3, "resume", "run")
    Path("run/config.yaml").write_text(config)
    lines = Path("run/journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"id":1', b'"id":7')
    Path("run/journal.jsonl").write_bytes(b"".join(lines))
    assert "line 2 is damaged" in refused(3, "resume", "run")


def test_changed_data_is_refused(refused: Callable[..., str]) -> None:
    npz(Path("data.npz"), x_train=np.random.default_rng(0).integers(0, 9, (40, 8, 8), dtype=np.uint8))
    small = ("space.channels=2", "trainer.epochs=1", "strategy=random", "evaluator=serial", "device=cpu")
    words = ["search", "dataset=npz", "dataset.path=data.npz", *small, "trainer.batch_size=16", "--run-dir", "run"]
    assert run([*words, "budget.evaluations=1"]) == 0
    npz(Path("data.npz"), x_train=np.random.default_rng(1).integers(0, 9, (40, 8, 8), dtype=np.uint8))
    assert "the data set is not the one" in refused(3, "resume", "run", "budget.evaluations=2")


def test_a_table_that_lacks_a_candidate(refused: Callable[..., str]) -> None:
    Path("t.csv").write_text("arch,r\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,10\n")
    columns = ("job.reward=r", "job.report=null", "job.cost=null", "job.parameters=null", "job.multiply_adds=null")
    words = ["search", "job=table", "job.path=t.csv", *columns]
    assert "t.csv has no row with arch=|" in refused(2, *words)
    assert "has no column c10_val12" in refused(2, "search", "job=table", "job.path=t.csv")
    assert "nowhere.csv cannot be read" in refused(2, "search", "job=table", "job.path=nowhere.csv")
    assert "job.path must be given" in refused(2, "search", "job=table")


@pytest.mark.parametrize(
    ("rows", "more", "expected"),
    [
        ("|a|,x,1", (), "column r (job.reward) must hold a number"),
        ("|a|,5,0", (), "column s (job.cost) must hold a number above 0"),
        ("|a|,5,1\n|a|,6,1", (), "has |a| in two rows"),
        ("|a|,5,1", ("job.cost_scale=nan",), "job.cost_scale is nan"),
    ],
)
def test_tables_that_make_no_sense(refused: Callable[..., str], rows: str, more: Any, expected: str) -> None:
    Path("t.csv").write_text(f"arch,r,s\n{rows}\n")
    columns = ("job.reward=r", "job.report=null", "job.cost=s", "job.parameters=null", "job.multiply_adds=null")
    assert expected in refused(2, "search", "job=table", "job.path=t.csv", *columns, *more)


def test_an_edited_configuration_is_another_experiment(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    path = Path("run/config.yaml")
    path.write_text(path.read_text().replace("noise: 0.01", "noise: 0.91"))
    for verb in ("resume", "show", "pareto", "verify"):
        assert "job.noise: run has 0.01, now 0.91" in refused(3, verb, "run")


def test_lost_journals_are_not_taken_for_a_fresh_start(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    journal = Path("run/journal.jsonl")
    lines = journal.read_bytes()
    journal.write_bytes(lines.replace(b"\n", b"\r\n"))
    assert "line 1 is damaged" in refused(3, "resume", "run")
    journal.write_bytes(b"")
    assert run(["verify", "run"]) == 1
    journal.unlink()
    assert "journal.jsonl is missing" in refused(3, "resume", "run")
    Path("run/status.json").write_text('{"elapsed_seconds": "x", "state": 5}')
    journal.write_bytes(lines)
    assert run(["resume", "run", "budget.evaluations=6", "--quiet"]) == 0
    assert run(["list", "--outputs", "."]) == 0
    assert run(["resume", "run", "evaluator=fake", "budget.evaluations=7", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("yaml", "module", "expected"),
    [
        ("_target_: [", "", "while parsing"),
        ("_target_: odd.Odd", "import nothing_like_this", "nothing_like_this"),
        ("_target_: odd.Odd", "def (", "cannot be imported: SyntaxError"),
        ("_target_: odd.Odd", "raise SystemExit(5)", "cannot be imported: SystemExit"),
        ("_target_: odd.Odd", "class Odd:\n    def __init__(self): 1 / 0", "cannot be made with these settings: Zero"),
    ],
)
def test_broken_extensions(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, yaml: str, module: str, expected: str
) -> None:
    Path("conf/space").mkdir(parents=True)
    Path("conf/space/odd.yaml").write_text(yaml + "\n")
    Path("odd.py").write_text(module + "\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    assert expected in refused(2, "search", "space=odd", "--config-dir", "conf", "--allow-module", "odd")


def test_a_folder_that_cannot_be_written_is_exit_4(refused: Callable[..., str]) -> None:
    assert "File name too long" in refused(4, *TOY, "--run-dir", "a" * 300)
    Path("file").touch()
    assert "cannot write into file" in refused(4, *TOY, "run.outputs=file")


@pytest.mark.parametrize("verb", ["spaces", "strategies", "datasets"])
def test_catalogue_names(refused: Callable[..., str], verb: str) -> None:
    assert "(known: " in refused(2, verb, "nonsense")


def test_unknown_verbs_and_options(refused: Callable[..., str]) -> None:
    assert "see `evonas --help`" in refused(2, "serch")
    assert "see `evonas --help`" in refused(2, "pareto")
    assert "--frmat" in refused(2, "pareto", "x", "--frmat", "csv")


@pytest.mark.parametrize("evaluations", ["5", "2000"])
def test_a_closed_stdout_loses_nothing(tmp_path: Path, evaluations: str) -> None:
    words = [sys.executable, "-m", "evonas_cli", *TOY[:-1], f"budget.evaluations={evaluations}", "--run-dir", "run"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(words, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.returncode == 0 and "Traceback" not in done.stderr and "Exception" not in done.stderr
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "done"
    for verb in ("pareto run --format json", "show run", "config", "strategies genetic"):
        command = f"{sys.executable} -m evonas_cli {verb} >&-"
        closed = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
        assert "Traceback" not in closed.stderr, closed.stderr


def test_debug_shows_the_traceback(evonas: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = evonas("search", "--debug", "strategy=genetc")
    assert done.returncode == 1 and "Traceback" in done.stderr
    assert os.environ.get("EVONAS_DEBUG") is None
