"""Bad input of every kind: one line that says what, where and what to do; the documented code; never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

TOY = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=5")


CONFIGURATIONS = [
    (("strategy=genetc",), "there is no strategy 'genetc'; did you mean genetic? (known: "),
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
    (("strategy=genetic", "strategy.elitism=20"), "strategy.elitism must be 0 to 19"),
    (("strategy=genetic", "strategy.selection=tornament"), "strategy.selection"),
    (("objectives=[]",), "name at least one metric"),
    (("objectives=[valid_eror]",), "did you mean valid_error?"),
    (("objectives=valid_error",), "objectives is 'valid_error'; it must be a list"),
    (("objectives=[valid_error,valid_error]",), "each once"),
    (("objectives=[train_seconds]",), "set deterministic=false"),
    (("budget.evaluations=0",), "budget.evaluations is 0; it must be above 0"),
    (("budget.evaluations=null",), "budget has no limit"),
    (("strategy=genetic", "budget.evaluations=10"), "smaller than the 20 evaluations of the first population"),
    (("job=landscape", "space=bits", "budget.cost=-1"), "budget.cost is -1.0"),
    (("device=gpu",), "device is 'gpu'; it may be auto, cpu, cuda or cuda:N"),
    (("run.name=a/b",), "run.name is 'a/b'"),
    ((f"run.name={'x' * 101}",), "run.name has 101 characters; 100 is the most"),
    (("run.name=../x",), "run.name is '../x'"),
    (("seed", "=", "1"), "'seed' is no override; write key=value without spaces, e.g. seed=1"),
    (("seed = 1",), "write key=value without spaces"),
    (("run.name=<x>",), """into quotes within quotes: 'run.name="TEXT"'"""),
    (("objectives=[valid_error",), "close brackets"),
    (('run.name="<x>"',), "run.name is '<x>'; use letters"),
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
    (("strategy._target_=evonas_cli.run.assembly.assemble",), "outside evonas_cli.strategies"),
    (("strategy._target_=evonas_cli.strategies.nothing.Here",), "does not exist"),
    (("strategy._target_=evonas_cli.strategies.random.stream",), "does not exist"),
    (("strategy._target_=evonas_cli.strategies.genetic.partial",), "is no class defined in"),
    (("strategy._target_=evonas_cli.strategies.genetic.UsageError",), "is no class defined in"),
    (("hydra.run.dir=x",), "are not used here"),
    (("space.channels=0",), "space.channels"),
    (("space.channels=[1]",), "space.channels is [1]; it must be an integer"),
    (("trainer.epochs=0",), "trainer.epochs"),
    (("trainer.momentum=1.5",), "trainer.momentum"),
    (("trainer.schedule=cosin",), "trainer.schedule"),
    (("trainer.convolution=unfold",), "trainer.convolution is 'unfold'; it must be auto or grouped: other forms of"),
    (("trainer.convolution={8x12x12_to16_k5:unfold}",), "can be resumed with an evonas 0.1.0 from before that"),
    (("evaluator.workers=0",), "evaluator.workers is 0"),
    (("evaluator=serial", "--workers", "2"), "evaluator has no key workers"),
    (("evaluator.workers=99999999999",), "at most 1024 processes are started"),
    (("--devices", "-1"), "device numbers begin at 0"),
    (("--devices", "0", "device=cpu"), "and device=cpu contradict each other"),
    (("--devices", ""), "evaluator.devices=[] names no device"),
    (("--dry-run", "evaluator.threads=abc"), "evaluator.threads is 'abc'; it must be an integer"),
    (("--dry-run", "evaluator=serial", "evaluator.threads=0"), "evaluator.threads is 0; it must be 1 or more"),
    (("--dry-run", "run.name=a/b"), "run.name is 'a/b'; use letters"),
    (("--run-dir", ""), "--run-dir . is no folder of its own"),
    (("stack=3",), "the configuration has no key stack; did you mean trainer.stack?"),
    (("trainer.stack=abc",), "trainer.stack is 'abc'; it must be an integer, or null"),
    (("trainer.precision=null",), "trainer.precision is null; it must be a word"),
    (("space=hyperparameters", "space.genes={momentum:{low:0}}"), "space.genes.momentum needs low and high"),
    (("space=hyperparameters", "space.genes={}"), "space.genes"),
    (("budget=null",), "budget is None; set its keys one by one"),
    (("snapshot=3",), "snapshot is 3; set its keys one by one"),
    (("snapshot.growth=inf",), "snapshot.growth is inf; settings are finite numbers"),
    (("snapshot.growth=1001",), "snapshot.growth between 1 and 1000"),
    (("--run-dir", "a\udce9b"), "bytes that are no UTF-8; write plain UTF-8"),
    (("dataset=npz",), "dataset.path must be given"),
    (
        ("space=bits",),
        "job Train needs a space that is Buildable, which Bits is not; jobs that serve bits: landscape, table (",
    ),
    (
        ("job=landscape", "space=nasbench201"),
        "needs a space that is Scored, which NasBench201 is not; spaces that are: bits, chain_landsc",
    ),
    (("--resume", "must"), "--resume must needs --run-dir"),
    (("--resume", "maybe"), "--resume"),
    (("--colour",), "see `evonas search --help`"),
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
    assert "needs a space that is Linear, which Plain is not; strategies that serve plain: " in line
    assert "strategies that serve plain: extrapolation, halving, hyperband, random" in line
    fine = [*words, "--allow-module", "plain_space", "strategy=random", "budget.evaluations=3", "--run-dir", "run"]
    assert run(fine) == 0
    for verb in ("show", "pareto", "verify", "resume"):
        assert "uses module plain_space; pass --allow-module plain_space if you trust it" in refused(2, verb, "run")
        assert run([verb, "run", "--allow-module", "plain_space"]) == 0


def test_a_config_folder_may_not_hide_our_files(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "conf" / "strategy").mkdir(parents=True)
    (tmp_path / "conf" / "strategy" / "genetic.yaml").write_text("_target_: x.Y\n")
    assert "has the name of one of evonas' own; rename it" in refused(2, "search", "--config-dir", "conf")


@pytest.mark.parametrize("evaluator", [("evaluator=serial",), ("evaluator=pool", "evaluator.workers=1")])
def test_cuda_asked_for_and_absent_is_exit_4(refused: Callable[..., str], evaluator: tuple[str, ...]) -> None:
    import torch

    device = f"cuda:{torch.cuda.device_count()}"
    assert "pass device=cpu" in refused(4, "search", *evaluator, f"device={device}")
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("yaml", "module", "expected"),
    [
        ("_target_: [", "", "odd.yaml, line 2: this is no YAML"),
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
    assert "see `evonas pareto --help`" in refused(2, "pareto")
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


def test_verbs_without_stdout_end_in_order(tmp_path: Path) -> None:
    assert run([*TOY[:-1], "budget.evaluations=5", "--run-dir", str(tmp_path / "run")]) == 0
    for verb in ("pareto run --format json", "show run", "config", "strategies genetic"):
        command = f"{sys.executable} -m evonas_cli {verb} >&-"
        closed = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
        assert "Traceback" not in closed.stderr, closed.stderr


def test_debug_shows_the_traceback(evonas: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = evonas("search", "--debug", "strategy=genetc")
    assert done.returncode == 1 and "Traceback" in done.stderr
    assert os.environ.get("EVONAS_DEBUG") is None
