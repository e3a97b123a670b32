"""`evonas report`: files and stdout, and the page in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

HOSTILE = "<img src=x onerror=alert(1)>"
WORDS = ("space=nasbench201", "dataset=digits", "job=size", "-q")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two finished searches with two objectives; the second has a name that would be markup."""
    folder = tmp_path_factory.mktemp("runs")
    for name, strategy in (("first", "regularized_evolution"), (HOSTILE, "random")):
        size = "strategy.population_size=20" if strategy != "random" else "strategy.batch=20"
        words = ["search", *WORDS, f"strategy={strategy}", size, "objectives=[parameters,depth]"]
        assert run([*words, "budget.evaluations=240", "--run-dir", str(folder / name)]) == 0
    return folder / "first", folder / HOSTILE


def test_json_goes_to_stdout_or_a_file(runs: tuple[Path, Path], tmp_path: Path, capsys: Any) -> None:
    capsys.readouterr()
    assert run(["report", str(runs[0]), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == 1 and printed["runs"][0]["evaluations"] == 240
    assert run(["report", str(runs[0]), "--format", "json", "-o", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text()) == printed
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'r.json'}: 240 candidates of 1 run, ")


def test_the_page_is_called_report_html_unless_told_otherwise(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["report", *map(str, runs)]) == 0
    assert "report.html: 480 candidates of 2 runs, " in capsys.readouterr().out
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_what_cannot_be_written_or_read_is_refused_before_any_work(
    runs: tuple[Path, Path], refused: Callable[..., str]
) -> None:
    assert "there is no folder" in refused(2, "report", "nowhere", "-o", "no/r.html")
    assert "is a folder; name a file" in refused(2, "report", str(runs[0]), "-o", str(runs[0]))
    assert "no run 'nowhere'" in refused(3, "report", "nowhere")
    assert "--format" in refused(2, "report", str(runs[0]), "--format", "pdf")


@pytest.fixture(scope="module")
def pages(runs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of reports of one run, and of both."""
    folder = tmp_path_factory.mktemp("pages")
    for name, names in (("one", runs[:1]), ("both", runs)):
        assert run(["report", *map(str, names), "-o", str(folder / f"{name}.html")]) == 0
    return {name: (folder / f"{name}.html").as_uri() for name in ("one", "both")}


@pytest.fixture
def opened(browser: Any, pages: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """Opens a page at a width; afterwards nothing may have been logged: no error, no breach of the policy."""

    def open_page(name: str, width: int = 1280, dark: bool = False) -> Any:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        browser.get(pages[name])
        return browser

    yield open_page
    assert browser.get_log("browser") == []


def js(page: Any, code: str) -> Any:
    return page.execute_script(f"return {code}")


def test_a_point_lights_its_row_and_a_row_its_point(opened: Callable[..., Any]) -> None:
    page = opened("one")
    page.execute_script(
        "window.dot = document.querySelector('#front circle.f'); window.key = dot.dataset.k;"
        "dot.dispatchEvent(new PointerEvent('pointerover', {bubbles: true, clientX: 300, clientY: 300}))"
    )
    assert js(page, "!document.getElementById('tip').hidden")
    shown = js(page, "document.getElementById('tip').textContent")
    row = js(page, "[...document.querySelector(`#table tr[data-k='${key}']`).cells].map(c => c.textContent)")
    assert f"candidate {row[0]}" in shown and row[1] in shown
    assert js(page, "document.querySelector(`#table tr[data-k='${key}']`).classList.contains('hot')")
    page.execute_script(
        "document.querySelector('#table tbody tr:nth-child(7)').dispatchEvent("
        "new PointerEvent('pointerover', {bubbles: true}))"
    )
    keys = js(page, "[...new Set([...document.querySelectorAll('.hot')].map(e => e.dataset.k))]")
    assert keys == [js(page, "document.querySelector('#table tbody tr:nth-child(7)').dataset.k")]
    assert js(page, "document.querySelectorAll('#front circle.hot').length") == 1
    assert js(page, "document.getElementById('tip').hidden")


def test_axes_of_the_front_can_be_chosen(opened: Callable[..., Any]) -> None:
    page = opened("one")
    state = "[...document.querySelectorAll('#front circle')].map(c => [c.getAttribute('cx'), c.getAttribute('cy')])"
    drawn, stairs = js(page, state), js(page, "document.querySelector('#front .stairs path').getAttribute('d')")
    page.execute_script("fx.dispatchEvent(new Event('change'))")
    assert js(page, state) == drawn
    assert js(page, "document.querySelector('#front .stairs path').getAttribute('d')") == stairs
    page.execute_script("const x = fx.value; fx.value = fy.value; fy.value = x; fx.dispatchEvent(new Event('change'))")
    assert js(page, "document.getElementById('front-title').textContent") == "depth against parameters"
    assert js(page, state) != drawn
    page.execute_script("focus.checked = true; document.getElementById('focus').click()")
    hidden = js(page, "document.querySelectorAll('#front circle[visibility=hidden]').length")
    assert 0 < hidden < 240


def test_the_table_sorts_and_shows_all(opened: Callable[..., Any]) -> None:
    page = opened("one")
    column = "[...document.querySelectorAll('#table tbody tr')].map(r => +r.cells[{}].textContent.replaceAll(',', ''))"
    first = js(page, column.format(0))
    assert len(first) == 200
    page.execute_script("all.click()")
    page.execute_script("document.querySelector('[data-s=id]').click()")
    assert js(page, column.format(0)) == list(range(240))
    page.execute_script("document.querySelector('[data-s=id]').click()")
    assert js(page, column.format(0)) == list(range(239, -1, -1))
    page.execute_script("document.querySelector('[data-s=m0]').click(); all.click()")
    assert js(page, column.format(0)) == first
    assert js(page, "document.getElementById('count').textContent") == "200 of 240 candidates"


def test_a_legend_hides_a_run_everywhere(opened: Callable[..., Any]) -> None:
    page = opened("both")
    assert js(page, "document.querySelectorAll('img').length") == 0
    assert HOSTILE in js(page, "document.querySelector('h1').textContent")
    count = (
        "[...document.querySelectorAll('#front circle.r1, #table tr.r1')].filter(e => e.getClientRects().length).length"
    )
    seen = js(page, count)
    page.execute_script("document.querySelector('[data-t=r1]').click()")
    assert seen > 0 and js(page, count) == 0
    assert js(page, "document.querySelector('[data-t=r1]').getAttribute('aria-pressed')") == "false"
    page.execute_script("document.querySelector('[data-t=r1]').click()")
    assert js(page, count) == seen


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_its_window_in_both_themes(opened: Callable[..., Any], width: int) -> None:
    for dark in (False, True):
        page = opened("both", width, dark)
        assert js(page, "document.documentElement.scrollWidth") <= width
        colour = "getComputedStyle(document.body).backgroundColor"
        before = js(page, colour)
        page.execute_script("document.getElementById('theme').click()")
        assert js(page, colour) != before
        page.execute_script("document.getElementById('theme').click()")
        assert js(page, colour) == before
