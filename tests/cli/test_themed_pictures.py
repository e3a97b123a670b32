"""Samples and decision regions in a real browser: light paper on a light page, dark paper on a dark one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_report_in_browser import CONTRAST, opened

from evonas_cli.cli.app import run

QUICK = ("strategy=random", "evaluator=serial", "device=cpu", "-q", "budget.evaluations=2")
RUNS = {
    "points": (
        *("job=diffusion", "dataset=moons", "dataset.n_train=64", "dataset.n_valid=20", "job.samples=20"),
        *("trainer.epochs=1", "space.widths=[16]", "space.steps=[5]", *QUICK),
    ),
    "images": (
        *("job=diffusion", "dataset=digits", "dataset.limit=100", "job.samples=4", "trainer.epochs=1"),
        *("space.widths=[16]", "space.steps=[5]", "space.depths=[2]", "dedupe=function", *QUICK),
    ),
    "regions": (
        *("job=neurons", "job.steps=5", "space=neurons_backprop", "dataset=xor", "dataset.n_train=30"),
        *("dataset.n_valid=20", *QUICK),
    ),
}
DRAWN = """
const light = text => text.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 765;
const sheets = [...document.querySelectorAll("svg.sheet")];
const part = query => [...document.querySelectorAll(`svg.sheet ${query}`)].map(e => getComputedStyle(e));
return {
  sheets: sheets.length,
  papers: part(".paper").map(s => s.fill === "none" ? null : light(s.fill)),
  words: part("text").map(s => light(s.fill)),
  axes: part(".axis").map(s => light(s.stroke)),
  rings: part("circle.valid").map(s => light(s.fill)),
};
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("themes")
    for name, words in RUNS.items():
        assert run(["search", *words, "--run-dir", str(folder / name)]) == 0
        assert run(["report", str(folder / name), "-o", str(folder / f"{name}.html")]) == 0
    return {name: (folder / f"{name}.html").as_uri() for name in RUNS}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", RUNS)
def test_pictures_follow_the_page(browser: Any, pages: dict[str, str], name: str, dark: bool) -> None:
    page = opened(browser, pages[name], 1400, dark)
    found = page.execute_script(DRAWN)
    assert found["sheets"] > 0
    fits = (lambda paper: paper is None or paper < 0.3) if dark else (lambda paper: paper is None or paper > 0.7)
    assert all(map(fits, found["papers"])) and all(map(fits, found["rings"]))
    assert (name == "images") == (not found["axes"])
    for ink in (*found["words"], *found["axes"]):
        assert (ink > 0.4) if dark else (ink < 0.6)
    assert page.execute_script(CONTRAST.replace(".drawing text", ".sheet text, .drawing text")) == []
    assert page.get_log("browser") == []


def test_a_file_of_its_own_is_light(tmp_path: Path, pages: dict[str, str]) -> None:
    root = Path(pages["regions"].removeprefix("file://")).with_name("regions")
    assert run(["plot", str(root), "--regions", "best", "-o", str(tmp_path / "x.svg")]) == 0
    text = (tmp_path / "x.svg").read_text()
    assert '<rect class="paper"' in text and 'fill="white"' in text and "var(" not in text
