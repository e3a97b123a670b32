"""`evonas bench strategies`: the same numbers as searches on disk, whatever the number of processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

BENCH = ("bench", "strategies", "space=chain_landscape", "budget.evaluations=40")
PAIR = ("--strategies", "random,regularized_evolution:population_size=5")


@pytest.fixture
def document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """Runs words in an empty folder; returns the JSON document on stdout."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        code = run([*words, "--json"])
        said = capsys.readouterr()
        assert code == 0, said.err
        found: dict[str, Any] = json.loads(said.out)
        return found

    return call


def without_names(found: dict[str, Any]) -> dict[str, Any]:
    for group in found["groups"]:
        for one in group["runs"]:
            del one["run"]
    return {key: value for key, value in found.items() if key != "timing"}


def test_a_bench_is_the_comparison_of_the_same_runs_on_disk(document: Callable[..., dict[str, Any]]) -> None:
    for strategy, settings in (("random", []), ("regularized_evolution", ["strategy.population_size=5"])):
        for seed in range(4):
            words = [*BENCH[2:], f"strategy={strategy}", *settings, "window=1", f"seed={seed}", "--quiet"]
            assert run(["search", *words, "job=landscape", "--run-dir", f"disk/{strategy}-{seed}"]) == 0
    in_memory = document(*BENCH, *PAIR, "--seeds", "4", "--report", "true_error")
    assert not list(Path().glob("outputs")) and not list(Path().glob("candidates"))
    on_disk = document("compare", "disk", "--report", "true_error")
    timing = in_memory["timing"]
    assert [(t["label"], t["evaluations"]) for t in timing] == [("random", 160), ("regularized_evolution", 160)]
    bare = without_names(in_memory)
    for group in on_disk["groups"]:
        for one in group["runs"]:
            one["curve"]["seconds"] = [0.0] * len(one["curve"]["seconds"])
            one["curve"]["end"]["seconds"] = 0.0
    assert bare == without_names(on_disk)


def test_processes_change_nothing(document: Callable[..., dict[str, Any]]) -> None:
    words = (*BENCH, *PAIR, "--seeds", "5")
    alone, spread = document(*words, "window=3"), document(*words, "window=3", "--jobs", "2")
    assert [t["evaluations"] for t in alone["timing"]] == [t["evaluations"] for t in spread["timing"]] == [200, 200]
    narrow = document(*words)["groups"]
    assert narrow[0]["values"] == alone["groups"][0]["values"], "no window changes random search"
    assert narrow[1]["values"] != alone["groups"][1]["values"]
    assert without_names(alone) == without_names(spread)


def test_text_ends_in_the_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "x.svg"
    assert run([*BENCH, "--seeds", "4", "--strategies", "random,regularized_evolution", "--plot", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "valid_error (lower is better), equal budget: 40 (trainings)"
    assert any(line.startswith("regularized_evolution: ") and line.endswith("n = 4 + 4)") for line in lines)
    assert lines[-3] == "time" and "160 evaluations" in lines[-1] and lines[-1].endswith("regularized_evolution")
    assert picture.read_text().startswith("<svg")


def test_the_same_strategy_with_several_settings(document: Callable[..., dict[str, Any]]) -> None:
    names = "regularized_evolution:population_size=5:sample_size=2,regularized_evolution"
    found = document(*BENCH, "--seeds", "2", "--strategies", names)
    assert [g["settings"] for g in found["groups"]] == [
        {"strategy.population_size": 5, "strategy.sample_size": 2},
        {"strategy.population_size": 10, "strategy.sample_size": 3},
    ]
    assert found["baseline"] is None and "no group is random search" in found["remarks"][0]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--strategies", "randm"), "there is no strategy 'randm'; did you mean random?"),
        (("--strategies", "random,"), "a name is missing"),
        (("--strategies", "random,randm:size=3"), "--strategies randm:size=3: there is no strategy 'randm'"),
        (("--strategies", "random,random:size=3"), "--strategies random:size=3: strategy has no key size"),
        (
            ("--strategies", "random, genetic:elitism"),
            "--strategies genetic:elitism: 'elitism' is no setting; write gene",
        ),
        (
            ("--strategies", "random,genetic:elitism=50"),
            "--strategies genetic:elitism=50: strategy.elitism must be 0 to",
        ),
        (("--strategies", "random,genetic:population_size=41"), "--strategies genetic:population_size=41: budget.eval"),
        (("--strategies", "random,codeepneat"), "--strategies codeepneat: strategy CoDeepNeat needs a space that is"),
        (("--strategies", "random,random"), "names random twice; once is enough"),
        (("--strategies", "genetic,genetic:elitism=1"), "names genetic and genetic:elitism=1, which are the same sett"),
        (("--strategies", "genetic", "space=nasnet"), "evonas: space is given twice"),
        (("--strategies", "genetic", "window=0"), "evonas: window is 0"),
        (("--seeds", "1"), "--seeds is 1; it must be 2 or more"),
        (("--jobs", "0"), "--jobs is 0"),
        (("seed=3",), "seed=3: a bench takes this from --seeds"),
        (("strategy=random",), "strategy=random: a bench takes this from --strategies"),
        (("evaluator=pool",), "evaluator=pool: a bench takes this from this process or --jobs"),
        (("budget.seconds=9",), "budget.seconds ends no search in memory"),
        (("cache=on",), "cache=on has no effect on searches in memory; leave it out"),
        (("job=train",), "job=train trains networks, too slow for a bench; run `evonas sweep`"),
        (("--report", "test_error"), "--report test_error: the job gives no such metric (it gives cost, true_error"),
        (("--report", "test_error", "--jobs", "2"), "--report test_error: the job gives no such metric"),
        (("--metric", "test_error"), "--metric test_error: the job declares no such metric"),
        (("--plot", "nowhere/x.svg"), "there is no folder nowhere"),
    ],
)
def test_refusals(refused: Callable[..., str], words: tuple[str, ...], text: str) -> None:
    more = () if "--strategies" in words else ("--strategies", "random,regularized_evolution")
    assert text in refused(2, *BENCH, *more, *words)


def test_no_budget_and_a_space_that_the_strategy_cannot_search(refused: Callable[..., str]) -> None:
    words = ("bench", "strategies", "--strategies", "random,genetic", "--seeds", "2")
    assert "budget has no limit" in refused(2, *words, "space=bits", "budget.evaluations=null")
    assert "needs a space that is Scored, which" in refused(2, *words, "space=nasnet")


@pytest.mark.data
def test_the_published_script(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import runpy
    import sys

    script = Path(__file__).parents[2] / "scripts" / "nasbench201_published"
    before = sys.argv
    sys.argv = [
        str(script),
        str(data_dir / "nasbench201.csv.gz"),
        "--seeds",
        "3",
        "--seconds",
        "2000",
        "--strategies",
        "random",
    ]
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.argv = before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["strategy", "published", "mean"]
    assert lines[1].startswith("random                  93.70 +- 0.36   9")
