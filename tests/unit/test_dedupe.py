"""dedupe: repeated candidates in whole runs, resumed, verified and refused."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.identity import check_identity, identity
from evonas_cli.run.replay import replay
from evonas_cli.run.search import search
from evonas_cli.run.session import create, reopen
from evonas_cli.run.stored import stored_config
from evonas_cli.run.verify import verify
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal, line

SPACE = NasBench201(operations=("none", "skip_connect", "nor_conv_1x1"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A row a cell; of equal functions no two have the same accuracy."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    with path.open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["arch", "c10_val12", "c10_test200", "c10_train_s200", "c10_params_m", "c10_flops_m"])
        genomes = itertools.product(*(choice.options for choice in SPACE.choices))
        for row, genome in enumerate(genomes):
            writer.writerow([SPACE.to_json(genome), 10 + row * 37 % 729 / 10, 50, 100 + row, 1, 1])
    return path


def made(table: Path, *overrides: str) -> Parts:
    plain = ("space=nasbench201", "space.operations=[none,skip_connect,nor_conv_1x1]", "job=table", f"job.path={table}")
    given = {text.partition("=")[0] for text in overrides}
    defaults = ("strategy=regularized_evolution", "strategy.population_size=5", "window=3", "budget.evaluations=60")
    own = [text for text in defaults if text.partition("=")[0] not in given and "strategy" not in given]
    rest = [] if "dedupe" in given else ["dedupe=function"]
    return assemble(compose([*plain, *own, *rest, "snapshot.every=8", *overrides]).config)


def carry_out(root: Path, parts: Parts) -> RunDirectory:
    """Runs to the end, resuming after each breakdown."""
    run = RunDirectory(root)
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    while True:
        try:
            search(session.fold, session.evaluator, session.recorder, session.deadline, session.cache)
            session.recorder.finish(session.fold, "done", session.why())
            return run
        except EnvironmentFailure:
            session.close()
            session = reopen(run, parts, lambda candidate, result: None)
        finally:
            session.recorder.journal.sync()


def entries(run: RunDirectory) -> list[dict[str, Any]]:
    return list(Journal(run.journal, write=False))


@pytest.mark.parametrize("how", ["function", "string"])
def test_a_run_broken_off_again_and_again_ends_the_same(table: Path, tmp_path: Path, how: str) -> None:
    whole = carry_out(tmp_path / "whole", made(table, f"dedupe={how}"))
    parts = made(table, f"dedupe={how}", "evaluator=fake", "evaluator.shuffle_seed=3", "evaluator.break_after=4")
    broken = carry_out(tmp_path / "broken", parts)
    timed = ("elapsed", "seconds", "crc")
    assert [{k: v for k, v in e.items() if k not in timed} for e in entries(whole)] == [
        {k: v for k, v in e.items() if k not in timed} for e in entries(broken)
    ]
    verdicts = [verify(whole, made(table, f"dedupe={how}")), verify(broken, parts)]
    assert verdicts[0].ok and verdicts[1].ok and verdicts[0].digest == verdicts[1].digest
    cached = [e for e in entries(broken) if "cached" in e]
    assert 0 < len(cached) < 55 and all(e["metrics"]["cost"] == 0.0 and e["seconds"] == 0.0 for e in cached)
    assert broken.status()["cached"] == len(cached)
    replayed = dict(replay(whole, made(table, f"dedupe={how}")))
    assert set(replayed) == {e["id"] for e in entries(whole)} - {e["id"] for e in cached}
    assert set(replayed.values()) == {None}


def test_function_copies_more_than_string_and_none_nothing(table: Path, tmp_path: Path) -> None:
    cached = {}
    for how in ("none", "string", "function"):
        run = carry_out(tmp_path / how, made(table, f"dedupe={how}", "strategy=random", "budget.evaluations=200"))
        cached[how] = sum("cached" in entry for entry in entries(run))
        genomes = {json.dumps(entry["genome"]) for entry in entries(run)}
        functions = {SPACE.function_key(SPACE.from_json(entry["genome"])) for entry in entries(run)}
    assert cached == {"none": 0, "string": 200 - len(genomes), "function": 200 - len(functions)}
    assert 0 < cached["string"] < cached["function"]


def test_one_that_is_measured_again_on_purpose_is_measured(table: Path, tmp_path: Path) -> None:
    genetic = ("strategy=genetic", "strategy.population_size=6", "strategy.archive=false", "strategy.remeasure=true")
    run = carry_out(tmp_path / "run", made(table, *genetic, "window=1", "budget.evaluations=60", "dedupe=string"))
    elites = [entry for entry in entries(run) if entry["operator"] == "elite"]
    assert len(elites) > 5 and all(entry["again"] and "cached" not in entry for entry in elites)
    assert any("cached" in entry for entry in entries(run))
    assert verify(run, made(table, *genetic, "window=1", "budget.evaluations=60", "dedupe=string")).ok


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda e: e["metrics"].update(valid_error=0.5), "whose result is another one"),
        (lambda e: e.update(cached=0), "is recorded as a copy of 0, but should be a copy of"),
        (lambda e: e.pop("cached"), "is recorded as evaluated, but should be a copy of"),
    ],
)
def test_verify_finds_a_line_that_is_no_copy(table: Path, tmp_path: Path, change: Any, problem: str) -> None:
    parts = made(table, "strategy=random", "budget.evaluations=60")
    run = carry_out(tmp_path / "run", parts)
    lines = entries(run)
    wrong = next(entry for entry in lines if entry.get("cached", 0) != 0)
    change(wrong)
    run.journal.write_bytes(b"".join(line({k: v for k, v in e.items() if k != "crc"}) for e in lines))
    problems = [text for text in verify(run, parts).problems if "candidate" in text]
    assert len(problems) == 1 and problems[0].startswith(f"candidate {wrong['id']} ") and problem in problems[0]


def test_runs_without_it_are_what_they_were(table: Path) -> None:
    assert "dedupe" not in identity(made(table, "dedupe=none").config)
    assert identity(made(table).config)["dedupe"] == "function"


def test_a_run_from_before_the_key_is_read_and_the_same_experiment(table: Path, tmp_path: Path) -> None:
    run = carry_out(tmp_path / "run", made(table, "dedupe=none"))
    written = tmp_path / "run/config.yaml"
    written.write_text(written.read_text().replace("dedupe: none\n", ""))
    config = stored_config(run)
    assert config["dedupe"] == "none" and verify(run, assemble(config)).ok
    check_identity(run, config)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["job=landscape", "space=bits", "dedupe=function"], "Landscape does not know which genomes are the same"),
        (
            ["job=table", "job.path=t.csv", "space=bits", "dedupe=function"],
            "spaces that are: activation_tree, backbone, fixed_network, gp_cell, loss_tree, nasbench201",
        ),
        (["objectives=[valid_error,cost]", "dedupe=function"], "cost is 0 for a repeated candidate"),
        (["dedupe=exact"], "dedupe is 'exact' .it may be function, string, none"),
        (
            [
                "space=hyperparameters",
                "strategy=genetic",
                "strategy.inherit=weights",
                "strategy.archive=false",
                "trainer.save_state=true",
                "dedupe=string",
            ],
            "hands trained weights on",
        ),
    ],
)
def test_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        assemble(compose(overrides).config)


def test_a_training_is_keyed_by_its_network_and_settings_without_torch() -> None:
    code = """
import sys
from evonas_cli.config.compose import compose
from evonas_cli.run.assembly import assemble
environment = {"task": {"shape": [1, 8, 8], "classes": 10}}
keys = assemble(compose(["dedupe=function"]).config).keys(environment)
a = ("nor_conv_3x3", "skip_connect", "none", "none", "nor_conv_1x1", "none")
b = ("nor_conv_3x3", "none", "none", "none", "nor_conv_1x1", "none")
c = ("none", "nor_conv_3x3", "none", "none", "none", "nor_conv_1x1")
assert keys(a) == keys(b) == keys(c) is not None
assert keys(a) != keys(("nor_conv_1x1", *a[1:]))
odd = assemble(compose(["dedupe=function"]).config).keys({"task": {"shape": [1, 7, 7], "classes": 10}})
assert odd(a) is None
tuned = assemble(compose(["dedupe=function", "space=hyperparameters"]).config)
from random import Random
first, second = tuned.space.sample(Random(0)), tuned.space.sample(Random(1))
keys = tuned.keys(environment)
assert keys(first) != keys(second) and keys(first) == keys(tuple(first))
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
