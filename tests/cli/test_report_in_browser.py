"""How pages look in a real browser: labels stand inside and on no other, outliers, lines of fronts, dark colours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store.journal import line

LABELS = """
const found = [], overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
  && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
for (const chart of document.querySelectorAll("svg.chart")) {
  const box = chart.closest("figure").getBoundingClientRect(), scrolls = chart.closest(".wide");
  const texts = [...chart.querySelectorAll("text")].map(e => [e.textContent, e.getBoundingClientRect()]);
  texts.forEach(([text, place], k) => {
    if (!scrolls && (place.left < box.left || place.right > box.right)) found.push(`${text} is cut off`);
    if (place.height < 8) found.push(`${text} is ${place.height} high`);
    for (const [other, there] of texts.slice(k + 1)) if (overlap(place, there)) found.push(`${text} on ${other}`);
  });
}
return found;
"""
CONTRAST = """
const light = text => {
  const parts = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04 ? v / 12.9 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
};
const paper = light(getComputedStyle(document.querySelector(".card")).backgroundColor), found = [];
for (const e of document.querySelectorAll("figcaption, .chart text, .note, td, th, .drawing text")) {
  const style = getComputedStyle(e), ink = light(e.closest("svg") ? style.fill : style.color);
  const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
  if (ratio < 4) found.push(`${e.textContent.slice(0, 30)}: ${ratio.toFixed(1)}`);
}
return [...new Set(found)];
"""


def rewritten(root: Path, values: list[float]) -> None:
    """The run's journal with these errors, so that they are known."""
    journal = root / "journal.jsonl"
    entries = [json.loads(text) for text in journal.read_text().splitlines()]
    for entry, value in zip(entries, values, strict=True):
        del entry["crc"]
        entry["metrics"]["valid_error"] = value
    journal.write_bytes(b"".join(map(line, entries)))


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Reports of a run of two objectives and of one of a single objective, each with one outlier, and of both."""
    folder = tmp_path_factory.mktemp("looks")
    words = ("search", "-q", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=40")
    for name, more in (("two", ["objectives=[valid_error,true_error]"]), ("single", ["objectives=[valid_error]"])):
        assert run([*words, *more, "--run-dir", str(folder / name)]) == 0
        rewritten(folder / name, [0.1 + k % 20 / 100 for k in range(39)] + [50.0])
    for name, names in (("two", ["two"]), ("single", ["single"]), ("both", ["two", "single"])):
        places = [str(folder / one) for one in names]
        assert run(["report", *places, "-o", str(folder / f"{name}.html")]) == 0
    return {name: (folder / f"{name}.html").as_uri() for name in ("two", "single", "both")}


@pytest.fixture
def window(browser: Any) -> Iterator[Any]:
    """The browser; afterwards nothing may have been logged."""
    yield browser
    assert browser.get_log("browser") == []


def opened(window: Any, address: str, width: int = 1400, dark: bool = False) -> Any:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    window.get(address)
    return window


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["two", "single", "both"])
def test_labels_of_charts_stand_inside_and_on_no_other(
    window: Any, addresses: dict[str, str], name: str, width: int
) -> None:
    assert opened(window, addresses[name], width).execute_script(LABELS) == []


@pytest.mark.parametrize("dark", [False, True])
def test_words_can_be_read_in_both_themes(window: Any, addresses: dict[str, str], dark: bool) -> None:
    assert opened(window, addresses["both"], 1400, dark).execute_script(CONTRAST) == []


def test_an_outlier_is_a_ring_at_the_border_until_only_the_front_is_wanted(
    window: Any, addresses: dict[str, str]
) -> None:
    page = opened(window, addresses["two"])
    rings = "return [...document.querySelectorAll('#front circle.beyond')].filter(c => c.getAttribute('visibility') !=="
    rings += " 'hidden').map(c => [c.dataset.k, +c.getAttribute('cy')])"
    top = page.execute_script("return +document.getElementById('front').dataset.box.split(' ')[3]")
    assert page.execute_script(rings) == [["0:39", top]]
    page.execute_script("fx.dispatchEvent(new Event('change'))")
    assert page.execute_script(rings) == [["0:39", top]]
    page.execute_script("document.getElementById('focus').click()")
    assert page.execute_script(rings) == []


def test_a_line_of_the_front_needs_two_objectives(window: Any, addresses: dict[str, str]) -> None:
    lines = "return [...document.querySelectorAll('.stairs path')].map(p => p.getAttribute('d').length > 0)"
    for name, expected in (("two", [True]), ("single", [False]), ("both", [True, False])):
        page = opened(window, addresses[name])
        assert page.execute_script(lines) == expected
        page.execute_script("fx.dispatchEvent(new Event('change'))")
        assert page.execute_script(lines) == expected
    page = opened(window, addresses["single"])
    assert page.execute_script("return document.getElementById('focus').getClientRects().length") == 0
