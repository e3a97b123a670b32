"""`scripts/engine_parity` and `scripts/engine_on_off` run the same search in several ways and compare."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
from benchmarks import searches

from evonas_cli.core.errors import UsageError

SCRIPTS = Path(__file__).parents[2] / "scripts"
SMALL = ("space.channels=[2,2]", "space.hidden=4", "dataset.limit=200", "trainer.momentum=0.5", "evaluator=serial")


def start(name: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", [name, *words])
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")


def test_parity_compares_equal_candidates_trained_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--candidates", "4", "--epochs", "1", "--outputs", str(tmp_path), "--json", *SMALL)
    start("engine_parity", monkeypatch, *words)
    found = json.loads(capsys.readouterr().out)
    assert {name: way["widest_program"] for name, way in found["ways"].items()} == {
        "separate": 1,
        "stacked": 2,
        "rounding": 1,
    }
    assert len(found["candidates"]) == 4 and len(list(tmp_path.iterdir())) == 3
    journal = searches.Journal(tmp_path / "stacked-0" / "journal.jsonl", write=False)
    for each, entry in zip(found["candidates"], journal, strict=True):
        assert each["genome"] == entry["genome"]
        assert each["valid_loss"]["stacked"] == entry["metrics"]["valid_loss"]
        assert each["valid_loss"]["separate"] == pytest.approx(each["valid_loss"]["stacked"], rel=0.05)
    apart = [abs(each["valid_loss"]["separate"] - each["valid_loss"]["stacked"]) for each in found["candidates"]]
    assert found["agreement"]["valid_loss"]["stacked"]["largest"] == pytest.approx(max(apart))


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("--dataset", "npz"), 2, "--dataset npz needs --root"),
        (("--root", "x"), 2, "--dataset digits takes no --root"),
        (("space.no=1",), 2, "space has no key no"),
    ],
)
@pytest.mark.parametrize("script", ["engine_parity", "engine_on_off"])
def test_what_is_wrong_is_one_line(
    script: str,
    words: tuple[str, ...],
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        start(script, monkeypatch, *words)
    assert end.value.code == code
    error = capsys.readouterr().err
    assert line in error and error.count("\n") == 1


def test_a_search_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(searches.EvonasError, match="x.npz") as failure:
        searches.run(["dataset=npz", f"dataset.path={tmp_path / 'x.npz'}", "evaluator=serial"], tmp_path / "run")
    assert failure.value.exit_code == UsageError.exit_code


def test_spaces_without_independent_genes_are_sampled_at_once() -> None:
    from argparse import ArgumentParser

    parser = ArgumentParser()
    searches.add_options(parser, epochs=1)
    given = parser.parse_args(["--candidates", "5"])
    assert searches.common(given, "hyperparameters")[-2:] == ["strategy=genetic", "strategy.population_size=5"]
    assert searches.common(given, "chain_cnn")[-2:] == ["strategy=random", "window=5"]
