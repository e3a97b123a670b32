"""Runs of job=diffusion: samples in the report, and what is refused before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.network.samples import Samples

SEARCH = ("search", "job=diffusion", "strategy=random", "evaluator=serial", "device=cpu", "--quiet")
SMALL = ("job.samples=20", "trainer.epochs=1", "space.widths=[16]", "space.steps=[5]", "budget.evaluations=3")


@pytest.mark.parametrize(
    ("data", "shape", "count"),
    [
        (("dataset=moons", "dataset.n_train=128", "dataset.n_valid=40"), (2,), 20),
        (("dataset=digits", "dataset.limit=200", "space.depths=[2]", "dedupe=function"), (1, 8, 8), 16),
    ],
)
def test_the_report_shows_samples_beside_the_data(
    data: tuple[str, ...], shape: tuple[int, ...], count: int, tmp_path: Path
) -> None:
    root, page, document = tmp_path / "run", tmp_path / "page.html", tmp_path / "page.json"
    assert run([*SEARCH, *data, *SMALL, "--run-dir", str(root)]) == 0
    assert run(["report", str(root), "--out", str(page)]) == 0
    assert run(["report", str(root), "--format", "json", "--out", str(document)]) == 0
    [found] = json.loads(document.read_text())["runs"]
    generated = found["generated"]
    assert generated["problem"] is None and generated["steps"][-1]["id"] == found["best"]
    samples = [Samples.from_json(one["samples"]) for one in generated["steps"]]
    assert all(one.shape == shape and len(one) == count for one in samples)
    assert "candidate" in page.read_text().partition('<section id="samples">')[2].partition("</section>")[0]
    assert found["networks"][0]["plan"] is not None


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("space.steps=[0]",), "space.steps must be whole numbers of at least 1; they are [0]"),
        (("job.samples=1",), "job.samples is 1; it must be an integer of at least 2"),
        (("dataset=copy",), "job=diffusion makes points or images, which the dataset Copy has not; pass"),
        (("dataset=chorales", "dataset.path=none"), "job=diffusion makes points or images, which the dataset"),
        (("dataset=digits", "dataset.flip=true"), "job=diffusion changes no images; set dataset.crop"),
        (("trainer.label_smoothing=0.1",), "trainer.label_smoothing=0.1 means nothing to job=diffusion; set"),
        (("space=mlp",), "space"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    words: tuple[str, ...], line: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    found = refused(2, *SEARCH, *words, "--run-dir", str(tmp_path / "run"))
    assert line in found, found
