"""The page: self-contained, escaped, allowed by digests alone, the same bytes twice, and small."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.report.drawing.scale import Scale
from evonas_cli.report.page import render
from evonas_cli.report.page.charts import scale
from evonas_cli.report.page.document import document
from evonas_cli.report.page.front import axes_of
from evonas_cli.report.page.render import SECTIONS, digest, page
from evonas_cli.report.page.view import MOST, shown
from evonas_cli.report.page.words import duration, number, script_json, time_unit
from evonas_cli.report.reading import Reading

Made = Callable[..., Reading]
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m</script><script>alert(2)</script>"
DRAWN = {"svg", "g", "path", "circle", "rect", "text", "ol", "li", "code", "details", "summary", "pre"}
"""Elements that a page with more candidates may have beyond that of one candidate."""


class Elements(HTMLParser):
    """All elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def searched(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Entries as those of a search: genomes of 60 genes, parents, falling errors, some failures."""
    rng = Random(seed)
    found: list[dict[str, Any]] = []
    for id in range(count):
        parents = [rng.randrange(id) for _ in range(2)] if id > 20 else []
        more: dict[str, Any] = {"genome": [rng.randrange(2) for _ in range(60)], "parents": parents}
        more |= {"operator": rng.choice(["mutation", "crossover"]) if parents else "sample"}
        error = round(rng.random() / (1 + id / 100), 6)
        found.append(more | ({"error": "diverged: x"} if rng.random() < 0.05 else {"valid_error": error}))
    return found


def test_two_thousand_candidates_are_below_three_megabytes(made: Made) -> None:
    text = page(document([made(searched(2000))]))
    assert len(text.encode()) < 3_000_000
    assert "200 of 2,000 candidates" in text


def test_the_same_runs_give_the_same_bytes_in_every_process(made: Made, tmp_path: Path) -> None:
    readings = [made(searched(60), name="a"), made(searched(60, 1), name="b")]
    text = page(document(readings))
    assert text == page(document(readings))
    code = (
        "import sys; from pathlib import Path; from evonas_cli.cli.app import run\n"
        "sys.exit(run(['report', 'a', 'b', '-o', 'other.html']))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert (tmp_path / "other.html").read_text(encoding="utf-8") == text


def test_hostile_texts_stay_text(made: Made) -> None:
    entries: list[dict[str, Any]] = [
        {"valid_error": 0.5, "operator": HOSTILE},
        {"error": f"{HOSTILE}: {HOSTILE}"},
        {"valid_error": 0.1, "genome": HOSTILE, "operator": HOSTILE, "parents": [0]},
        {"metrics": {"valid_error": 0.2, HOSTILE: 1.0}},
    ]
    reading = made(entries, name="<img src=x onerror=alert(1)>")
    (reading.run.root / "config.yaml").open("a").write(f"# {HOSTILE}\n".replace("\x1b", ""))
    text = page(document([reading]))
    plain = {tag for tag, _ in Elements(page(document([made([{"valid_error": 0.5}], name="plain")]))).found}
    found = Elements(text).found
    assert {tag for tag, _ in found} <= plain | DRAWN
    assert sum(tag == "script" for tag, _ in found) == 2 and not any(tag == "img" for tag, _ in found)
    assert not [key for _, attributes in found for key in attributes if key.startswith("on") or key == "style"]
    assert "\x1b" not in text and "&lt;img src=x onerror=alert(1)&gt;" in text
    assert r"\x1b[31m" in text


def test_nothing_is_loaded_and_only_digests_are_allowed(made: Made) -> None:
    text = page(document([made(searched(30))]))
    found = Elements(text).found
    [policy] = [a["content"] for tag, a in found if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    style, script = (re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script"))
    assert style is not None and script is not None and policy is not None
    assert f"style-src '{digest(style[1])}'" in policy and f"script-src '{digest(script[1])}'" in policy
    assert policy.startswith("default-src 'none'; ") and "img-src data:" in policy and "unsafe" not in policy
    links = [value for _, attributes in found for key, value in attributes.items() if key in ("src", "href")]
    assert set(links) == {"data:,", *(f"#{id}" for id in SECTIONS)}
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", style[1] + script[1])
    assert len(script[1].encode()) < 10_000


def test_every_section_is_there_for_every_kind_of_run(made: Made) -> None:
    kinds = {"none": [], "failed": [{"error": "oom: x"}], "single": [{"valid_error": 0.5}], "many": searched(30)}
    for name, entries in kinds.items():
        ids = [attributes.get("id") for tag, attributes in Elements(page(document([made(entries, name=name)]))).found]
        assert set(SECTIONS) <= set(ids), name
    text = page(document([made([{"error": "oom: x"}], name="again")]))
    assert "so there is no best value" in text and "so there is no network to draw" in text


def test_the_charts_have_a_dot_for_each_candidate_with_both_metrics(made: Made) -> None:
    entries: list[dict[str, Any]] = [{"valid_error": 0.5}, {"valid_error": 0.1}, {"error": "oom: x"}]
    text = page(document([made(entries)]))
    front = text[text.index('id="front"') :]
    dots = re.findall(r'<circle class="(\w) r0" data-k="0:(\d)" (cx|vis)', front[: front.index("</svg>")])
    assert dots == [("d", "0", "cx"), ("f", "1", "cx")]
    assert len(re.findall(r'<path class="x n o0" data-k="0:2"', text)) == 1


def test_a_run_without_success_has_words_in_the_place_of_charts(made: Made) -> None:
    failed, other = made([{"error": "oom: x"}], name="failed"), made([{"valid_error": 0.5}], name="other")
    text = page(document([failed]))
    assert "No candidate has succeeded, so there is nothing to draw." in text
    assert 'class="chart"' not in text and "of every candidate over time" not in text
    both = page(document([failed, other]))
    assert len(re.findall(r'<circle class="f r1" data-k="1:0" cx', both)) == 2, "by two metrics, and over time"


def test_charts_of_several_runs_have_the_objectives_of_one_with_a_value(made: Made) -> None:
    failed, other = made([{"error": "oom: x"}], kind="cells", name="failed"), made([{"valid_error": 0.5}], name="other")
    text = page(document([failed, other]))
    assert "valid_error of every candidate over time" in text and "so there is nothing to draw" not in text
    assert axes_of(document([failed]))[1] == "parameters"


def test_the_summary_of_several_runs_has_a_cell_for_each_column(made: Made) -> None:
    text = page(document([made([{"valid_error": error}], name=str(error)) for error in (0.5, 0.25, 0.75)]))
    summary = text[text.index('id="summary"') : text.index('id="front"')]
    rows = [row.count("<td") for row in re.findall(r"<tr>(<td.*?)</tr>", summary, re.DOTALL)]
    assert rows == [summary.count("<th>") + summary.count('<th class="n">')] * 3
    assert all(f"<b>0</b>: {error}" in summary for error in (0.5, 0.25, 0.75))


def test_more_runs_than_colours_repeat_them(made: Made) -> None:
    text = page(document([made([{"valid_error": 0.5}], name=str(number)) for number in range(10)]))
    assert ".r7{--c:var(--r7)}" in text and ".r9{--c:var(--r1)}" in text and ".r10{" not in text


def test_a_very_long_run_is_thinned_and_keeps_what_matters(made: Made) -> None:
    run = document([made(searched(300))])["runs"][0]
    columns = run["candidates"]
    long = {**run, "candidates": {key: value for key, value in columns.items()}}
    repeats = MOST // 300 + 2
    long["candidates"] = {
        key: {name: one * repeats for name, one in value.items()} if key == "metrics" else value * repeats
        for key, value in columns.items()
    }
    long["candidates"]["id"] = list(range(300 * repeats))
    kept = shown(long).columns
    assert len(kept["id"]) <= MOST and kept["id"] == sorted(set(kept["id"]))
    assert set(run["front"]) | set(run["best_so_far"]["trainings"]["id"]) <= set(kept["id"])
    assert len(kept["metrics"]["valid_error"]) == len(kept["id"]) == len(kept["genome"])


def test_data_of_the_script_cannot_end_it() -> None:
    assert (
        script_json(["</script>&\u2028\x1b", None, 1.5]) == '["\\u003c/script\\u003e\\u0026\\\\u2028\\\\x1b",null,1.5]'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


def test_scales_and_words() -> None:
    assert scale([], 0, 10) == Scale(-0.05, 1.05, 0, 10)
    assert scale([1.0, 1000.0], 0, 10).log and not scale([0.0, 1000.0], 0, 10).log
    assert not scale([1.0, 1000.0], 0, 10, log=False).log
    assert scale([5.0], 0, 10, zero=True)(5.0) == 10
    assert [time_unit(seconds)[1] for seconds in (0, 0.2, 60, 600, 9000, 3e5)] == [
        *("seconds", "milliseconds", "seconds", "minutes", "hours", "days")
    ]
    assert [duration(s) for s in (None, 0.243, 168, 11_100, 190_000)] == [
        *("\u2013", "0.243 s", "2 min 48 s", "3 h 5 min", "2 d 4 h")
    ]
    assert [number(value) for value in (None, 1234.0, 0.123456, 7, "x")] == ["\u2013", "1,234", "0.1235", "7", "x"]


def test_the_page_is_package_data() -> None:
    folder = Path(render.__file__).parent
    assert all((folder / name).is_file() for name in (render.TEMPLATE, render.STYLE, render.SCRIPT))
