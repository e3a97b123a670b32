"""`evonas compare` on real small runs: what it prints, what it refuses."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from evonas_cli.cli.app import run

TOY = ("search", "space=chain_landscape", "job=landscape", "window=1", "--quiet")
STRATEGIES = ("random", "regularized_evolution")


def toy(folder: Path | str, strategy: str, seed: int, *more: str) -> None:
    budget = () if any(word.startswith("budget") for word in more) else ("budget.evaluations=60",)
    assert run([*TOY, f"strategy={strategy}", f"seed={seed}", *budget, *more, "--run-dir", str(folder)]) == 0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `study` with five runs of random search and of evolution, one level further down."""
    folder = tmp_path_factory.mktemp("home")
    for strategy in STRATEGIES:
        for seed in range(5):
            toy(folder / "study" / strategy / f"seed-{seed}", strategy, seed)
    return folder


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in that folder; returns stdout."""
    monkeypatch.chdir(home)
    capsys.readouterr()

    def call(*words: str) -> str:
        code = run(list(words))
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    return call


def best(folder: Path, count: int) -> dict[str, float]:
    entries = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    ids: dict[int, Any] = {entry["id"]: entry["metrics"] for entry in entries}
    first = min(range(count), key=lambda id: ids[id]["valid_error"])
    return dict(ids[first])


def test_a_folder_of_runs(say: Callable[..., str], home: Path) -> None:
    document = json.loads(say("compare", "study", "--json", "--report", "true_error", "--budget", "40"))
    assert document["schema"] == 1 and document["axis"] == "trainings" and document["budget"] == 40
    assert [g["label"] for g in document["groups"]] == list(STRATEGIES) and document["baseline"] == "random"
    for found in document["groups"]:
        metrics = [best(home / "study" / found["label"] / f"seed-{seed}", 40) for seed in range(5)]
        assert found["values"] == [m["valid_error"] for m in metrics]
        assert found["report"]["values"] == [m["true_error"] for m in metrics]
        assert [r["curve"]["end"]["evaluations"] for r in found["runs"]] == [60] * 5
        for one in found["runs"]:
            steps = one["curve"]["value"]
            assert steps == sorted(set(steps), reverse=True) and len(steps) < 60


def test_the_text_fits_100_characters_and_ends_in_a_verdict(say: Callable[..., str]) -> None:
    lines = say("compare", "study", "--report", "true_error").splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0] == "valid_error (lower is better), equal budget: 60 (trainings)"
    assert "true_error of each run's best by valid_error" in lines
    assert any(line.startswith("random  0:0.") and " 4:0." in line for line in lines)
    verdict = json.loads(say("compare", "study", "--json"))["groups"][1]["verdict"]["text"]
    assert verdict.endswith("n = 5 + 5)") and lines[-1] == f"regularized_evolution: {verdict}"


def test_three_runs_a_group_decide_nothing(say: Callable[..., str]) -> None:
    chosen = [f"study/{strategy}/seed-{seed}" for strategy in STRATEGIES for seed in range(3)]
    last = say("compare", *chosen).splitlines()[-1]
    assert last.endswith("undecidable: n = 3 + 3 runs cannot reach p < 0.05; run at least 4 + 4")


def test_the_picture(say: Callable[..., str], tmp_path: Path) -> None:
    say("compare", "study", "--plot", str(tmp_path / "x.svg"))
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert "regularized_evolution (n = 5)" in [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_metrics_where_higher_is_better_and_long_labels(say: Callable[..., str], tmp_path: Path) -> None:
    for size in (10, 20):
        for seed in range(2):
            more = (f"strategy.population_size={size}", "budget.evaluations=30")
            toy(tmp_path / "r" / f"{size}-{seed}", "regularized_evolution", seed, *more)
    text = say("compare", str(tmp_path / "r"), "study/random")
    assert "regularized_evolution #2 is regularized_evolution strategy.population_size=20" in text
    assert max(map(len, text.splitlines())) <= 100 and "equal budget: 30" in text


def test_runs_named_as_everywhere(
    say: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in (0, 1):
        assert run([*TOY, "strategy=random", "budget.evaluations=5", f"seed={seed}", f"run.name=s{seed}"]) == 0
    [first] = Path("outputs").glob("*/*-s0")
    capsys.readouterr()
    assert run(["compare", "latest", first.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["seeds"] == [0, 1]


def test_sweeps_are_named_as_by_sweep_status(
    refused: Callable[..., str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(home / "study", "outputs/sweep-s")
    Path("outputs/sweep-s/sweep.json").write_text("{}")
    for reference in ("s", "sweep-s", "outputs/sweep-s"):
        assert run(["compare", reference, "--json"]) == 0
        assert [g["n"] for g in json.loads(capsys.readouterr().out)["groups"]] == [5, 5]
    assert "no run 'nosuch'" in refused(3, "compare", "nosuch")


def test_unfinished_runs_may_take_part_once_they_reached_the_budget(
    refused: Callable[..., str], home: Path, tmp_path: Path
) -> None:
    for seed in range(2):
        shutil.copytree(home / "study/random" / f"seed-{seed}", tmp_path / f"r{seed}")
        shutil.copytree(home / "study/regularized_evolution" / f"seed-{seed}", tmp_path / f"e{seed}")
    lines = Path("r0/journal.jsonl").read_bytes().splitlines(keepends=True)
    Path("r0/journal.jsonl").write_bytes(b"".join([*lines[:20], *lines[21:40], lines[40][:30]]))
    Path("r0/status.json").unlink()
    runs = ("compare", "r0", "r1", "e0", "e1")
    at_its_end = "r0 is not finished; the equal budget of 20 (trainings) is as far as it got"
    assert at_its_end in refused(0, *runs)
    assert "r0 is not finished, but stands at 20 (trainings), beyond the equal budget" in refused(
        0, *runs, "--budget", "19"
    )
    line = refused(3, *runs, "--budget", "21")
    assert "r0 is not finished and stands at 20 (trainings); lower it, or wait for that run or resume it" in line
    assert "0 ended at 60 (trainings); lower it, or resume that run under a larger budget" in refused(
        3, "compare", "e0", "e1", "--budget", "61"
    )


def test_refusals(refused: Callable[..., str], home: Path) -> None:
    study = str(home / "study")
    assert "is named twice and would count twice" in refused(3, "compare", study, f"{study}/random/seed-0")
    shutil.copytree(home / "study/random/seed-0", "copy")
    assert "are the same experiment with the same seed 0" in refused(3, "compare", study, "copy")
    assert "no run 'nothing'" in refused(3, "compare", "nothing")
    os.mkdir("empty")
    assert "is no run" in refused(3, "compare", "empty")
    toy("other", "random", 9, "job.noise=0.5")
    line = refused(3, "compare", study, "other")
    assert "job.noise: 0.5 and 0.01" in line or "job.noise: 0.01 and 0.5" in line
    assert "has no seconds to compare along" in refused(3, "compare", study, "--axis", "seconds")
    assert "--budget 61 is more than every run has reached" in refused(3, "compare", study, "--budget", "61")
    assert "there is no folder nowhere" in refused(2, "compare", study, "--plot", "nowhere/x.svg")
    assert "is a folder; name a file" in refused(2, "compare", study, "--plot", "empty")
    assert "the job declares no such metric (known: cost, true_error, valid_error)" in refused(
        2, "compare", study, "--metric", "accuracy"
    )
    assert "has no metric accuracy; choose another --report" in refused(3, "compare", study, "--report", "accuracy")
    assert "--baseline 'x' is no group" in refused(2, "compare", study, "--baseline", "x")


def test_vary_permits_a_difference_by_name(
    refused: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy("quiet", "random", 0)
    toy("loud", "random", 0, "job.noise=0.5")
    assert "pass --vary job if" in refused(3, "compare", "quiet", "loud")
    words = ["compare", "quiet", "loud", "--vary", "job", "--baseline", "random job.noise=0.01", "--json"]
    assert run(words) == 0
    labels = [g["label"] for g in json.loads(capsys.readouterr().out)["groups"]]
    assert labels == ["random job.noise=0.01", "random job.noise=0.5"]


def test_budget_cost_ends_a_run_as_it_ends_its_front(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "t.csv"
    genomes = [[n >> bit & 1 for bit in range(4)] for n in range(16)]
    rows = [f'"{genome}",{50 + 3 * n},{40 + n},{2.0 + n / 10}' for n, genome in enumerate(genomes)]
    table.write_text("\n".join(["arch,v,t,s", *rows]) + "\n")
    job = ["space=bits", "space.length=4", "job=table", f"job.path={table}", "job.reward=v", "job.report=t"]
    job += ["job.cost=s", "job.cost_scale=1", "job.parameters=null", "job.multiply_adds=null"]
    budget = ["budget.evaluations=null", "budget.cost=20", "window=1", "--quiet"]
    for seed in range(2):
        words = [*job, *budget, "strategy=random", f"seed={seed}", "--run-dir", str(tmp_path / f"r{seed}")]
        assert run(["search", *words]) == 0
    capsys.readouterr()
    assert run(["compare", str(tmp_path), "--json", "--report", "test_error"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["axis"] == "cost" and document["budget"] == 20
    for seed, value in enumerate(document["groups"][0]["values"]):
        assert run(["pareto", str(tmp_path / f"r{seed}"), "--json"]) == 0
        [front] = json.loads(capsys.readouterr().out)["front"]
        found = document["groups"][0]["runs"][seed]
        assert front["id"] == found["incumbent"] and front["metrics"]["valid_error"] == value
        assert front["metrics"]["test_error"] == found["report"]


def test_runs_by_all_objectives_are_compared_by_hypervolume(
    refused: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    rows = [f'"{[n >> k & 1 for k in range(4)]}",{50 + 2 * n.bit_count()},{n.bit_count()}' for n in range(16)]
    table.write_text("\n".join(["bits,accuracy,size", *rows]) + "\n")
    job = ("space=bits", "space.length=4", "job=table", f"job.path={table}", "job.key=bits", "job.reward=accuracy",
           "job.report=null", "job.cost=null", "job.parameters=size", "job.multiply_adds=null")  # fmt: skip
    for strategy in ("random", "nsga2", "genetic"):
        where = ("--run-dir", str(tmp_path / strategy), "objectives=[valid_error,parameters]", "--quiet")
        size = () if strategy == "random" else ("strategy.population_size=4",)
        assert run(["search", *job, f"strategy={strategy}", *size, "budget.evaluations=12", *where]) == 0
    names = [str(tmp_path / strategy) for strategy in ("random", "nsga2")]
    capsys.readouterr()
    assert run(["compare", *names]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("hypervolume (higher is better), equal budget: 12")
    assert said[1].startswith("of the fronts, up to valid_error ") and ", parameters " in said[1]
    assert run(["compare", *names, "--report", "parameters"]) == 0
    assert capsys.readouterr().out.startswith("valid_error (lower is better)")
    assert run(["compare", *names, str(tmp_path / "genetic")]) == 0
    assert capsys.readouterr().out.startswith("valid_error (lower is better)")
    assert run(["compare", *names, str(tmp_path / "genetic"), "--by", "hypervolume", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["groups"][0]["attainment"]) >= 1
    assert run(["show", names[1]]) == 0
    shown = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("hypervolume "))
    assert "up to valid_error " in shown and ", parameters " in shown
    said_no = refused(2, "compare", *names, "--by", "hypervolume", "--metric", "parameters")
    assert "--by hypervolume has not" in said_no


def test_intervals_are_called_what_they_are(say: Callable[..., str], tmp_path: Path) -> None:
    three = [f"study/{strategy}/seed-{seed}" for strategy in STRATEGIES for seed in range(3)]
    text = say("compare", *three)
    assert "range of 3 seeds" in text and "95 % CI" not in text
    document = json.loads(say("compare", *three, "--json"))
    assert all(g["interval"] == [min(g["values"]), max(g["values"])] for g in document["groups"])
    five = say("compare", "study", "--report", "true_error")
    assert five.count("95 % CI of the mean") == 3 and "range" not in five and "*" not in five
    assert "95 % CI of the mean: percentile bootstrap over the seeds\n" in five
    mixed = say("compare", "study/random", *three[3:])
    [marked] = [line for line in mixed.splitlines() if " .. " in line and "*" in line]
    assert marked.startswith("regularized_evolution") and "; * range of 3 seeds\n" in mixed
    assert max(map(len, mixed.splitlines())) <= 100
