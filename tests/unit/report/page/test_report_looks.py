"""What a reader of the page sees: outliers, one objective, axes, numbers, and words where there is nothing to draw."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from evonas_cli.core.types import Metric
from evonas_cli.report.drawing.units import axis_title
from evonas_cli.report.page.charts import logarithm, scale
from evonas_cli.report.page.document import document
from evonas_cli.report.page.explanation import drawn, matrix, reliability
from evonas_cli.report.page.figures import figure_title, figures
from evonas_cli.report.page.front import range_of
from evonas_cli.report.page.render import page
from evonas_cli.report.page.view import shown
from evonas_cli.report.page.words import number, pairs, percent, sentence
from evonas_cli.report.reading import Reading
from evonas_cli.report.subject import subject

Made = Callable[..., Reading]


def searched(count: int) -> list[dict[str, Any]]:
    """Entries of a search with falling errors."""
    return [{"valid_error": 1 / (1 + id)} for id in range(count)]


def test_an_outlier_lies_at_the_border_and_stretches_no_axis(made: Made) -> None:
    entries = [{"valid_error": 0.1 + k / 100} for k in range(20)]
    plain = page(document([made(entries, name="plain")]))
    wild = page(document([made([*entries, {"valid_error": 50.0}], name="wild")]))
    for text, rings in ((plain, 0), (wild, 1)):
        assert len(re.findall(r'<circle class="d r0 beyond" data-k="0:20"', text)) == rings
        assert len(re.findall(r'<circle class="d o0 beyond" data-k="0:20"', text)) == rings
        assert ("dashed rings at the border lie beyond the axis" in text) == bool(rings)

    def place(text: str) -> str:
        found = re.search(r'data-k="0:5" cx="[\d.]+" cy="([\d.]+)"', text[text.index('id="front"') :])
        assert found is not None
        return found[1]

    assert place(plain) == place(wild)


def test_a_run_with_one_objective_has_no_front(made: Made) -> None:
    text = page(document([made(searched(30))]))
    assert '<path class="line r0" d=""/>' in text and "with one objective there is no front" in text
    assert "Pareto front</span>" not in text and "knee of the front" not in text
    assert '<span class="badge best">best</span>' in text and "badge front" not in text
    both = page(document([made([{"metrics": {"parameters": 9, "depth": 2}}], kind="cells", name="two")]))
    assert "Pareto front</span>" in both and "the line bounds what is dominated" in both
    assert re.search(r'<path class="line r0" d="M[\d.]+ [\d.]+"/>', both[both.index('class="stairs"') :])


def test_values_of_a_single_epoch_are_no_curve(made: Made) -> None:
    def text(name: str, epochs: int) -> str:
        values = [0.5 / epoch for epoch in range(1, epochs + 1)]
        curves = {"epoch": list(range(1, epochs + 1)), "valid_error": values}
        return page(document([made([{"valid_error": 0.5, "curves": curves}], name=name)]))

    assert "recorded its values once, so there is no curve to draw" in text("one", 1)
    assert "recorded its values once" not in text("two", 2)
    assert "In colour the candidates <span" in text("three", 3)


def test_candidates_that_break_a_constraint_have_succeeded(made: Made) -> None:
    text = page(document([made([{"valid_error": 0.9}], kind="bounded")]))
    assert "No candidate that satisfies the constraints has succeeded, so there is no best value." in text
    assert "In colour" not in text


def test_whole_numbers_have_whole_ticks(made: Made) -> None:
    assert scale([3, 4], 0, 10).ticks() == [3, 4] and len(scale([3.0, 4.5], 0, 10).ticks()) > 2
    assert scale([0, 2], 0, 10, zero=True).ticks() == [0, 1, 2]
    assert scale([0, 12], 0, 10, zero=True).ticks() == [0, 5, 10]


def test_a_logarithm_is_named_and_never_taken_where_more_is_better(made: Made) -> None:
    assert scale([0.01, 1.0], 0, 10, log=logarithm("min")).log
    assert not scale([0.01, 1.0], 0, 10, log=logarithm("max")).log
    entries = [{"valid_error": 0.5 / 4**k} for k in range(8)]
    text = page(document([made(entries)]))
    assert "lower is better, log scale)</text>" in text[text.index('id="front"') : text.index('id="progress"')]


def test_the_same_number_is_drawn_once_and_titles_say_what_it_is() -> None:
    line = {"step": 0, "evaluations": 9, "n_species": 2, "species": {"0": 4, "1": 5}, "front": 3}
    assert set(figures([line])) == {"species", "front"}
    assert figure_title("front") == "members of the front"
    assert figure_title("mean_sizes.links") == "mean of the population: links"


def test_shares_are_neither_none_nor_all_unless_they_are() -> None:
    assert [percent(share) for share in (None, 0.0, 0.002, 0.25, 0.997, 1.0)] == [
        *("\u2013", "0%", "0.2%", "25%", "99.7%", "100%")
    ]
    assert [number(value) for value in (17_820.4, 999.4, 1e-6)] == ["17,820", "999.4", "1e-06"]


def test_counts_on_strong_colours_can_be_read() -> None:
    table = matrix([[9, 1], [0, 10]], ["cat", "dog"])
    assert re.findall(r'<text class="(\w+)"[^>]*>(\d+)</text>', table) == [("on", "9"), ("ink", "1"), ("on", "10")]
    assert matrix([[1]], ["a long name"]).count("a long name") == 4, "a row, a column, and what a pointer is told"
    bins = [{"low": 0.9, "high": 1.0, "count": 8123, "accuracy": 0.9, "confidence": 0.95}]
    assert '<text x="' in reliability({"bins": bins}) and 'class="count">8k</text>' in reliability({"bins": bins})
    assert "labels present (share)" in reliability({"bins": bins}, "labels")


def test_the_explanation_of_numbers_without_names_calls_them_numbers() -> None:
    found = {"points": [(1.0, 2.0), (2.0, 2.0)]}
    said = {"said": "nothing"}
    given = {"kind": "numbers", "names": ["0"], "residuals": [found], "calibration": said, "confusion": said}
    shown = drawn({**given, "ablation": said, "genes": said})
    assert shown["names"] == ["number 0"] and "true number 0" in shown["scatters"][0]
    assert drawn({**given, "names": ["price"], "ablation": said, "genes": said})["names"] == ["price"]


def test_captions_speak_of_what_is_there(made: Made) -> None:
    whole = page(document([made(searched(3), name="whole")]))
    assert "valid_error of every candidate over time</figcaption>" in whole
    assert "A child is better when its value is better than that of each of its parents." in whole
    failed = page(document([made([*searched(3), {"error": "oom: x"}], name="failed")]))
    assert "over time; strokes at the bottom are failures</figcaption>" in failed
    several = page(document([made([], kind="cells", name="cells")]))
    assert "A child is better when it dominates one of its parents" in several


def test_a_size_that_failures_alone_have_stretches_no_axis(made: Made) -> None:
    sizes = [{"metrics": {"valid_error": 0.1 * k, "parameters": 10 * k}} for k in (1, 2, 3)]
    refused = {"error": "refused: too large", "metrics": {"parameters": 10_000}}
    kept = shown(document([made([*sizes, refused])])["runs"][0])
    assert range_of([kept], "parameters", "min").high < 40
    alone = shown(document([made([refused], name="alone")])["runs"][0])
    assert range_of([alone], "parameters", "min").holds(10_000)


def test_learning_curves_begin_at_their_first_epoch(made: Made) -> None:
    curves = {"epoch": [11, 12, 13], "valid_error": [0.5, 0.4, 0.3]}
    text = page(document([made([{"valid_error": 0.3, "curves": curves}])]))
    drawing = text[text.index('id="curves"') :]
    assert ">11</text>" in drawing and ">0</text>" not in drawing[: drawing.index("</svg>")]


def test_lines_become_sentences_and_objects_pairs() -> None:
    assert sentence("numbers have no probabilities") == "Numbers have no probabilities." and sentence("A.") == "A."
    assert pairs({"inputs": [1, 8, 8], "kind": "classes"}) == "inputs [1, 8, 8], kind classes"
    assert pairs("cpu") == "cpu" and pairs(1) == "1"


def test_a_loss_has_the_unit_of_the_task() -> None:
    loss, size = Metric("min"), Metric("min", measured=True, lasting=True)
    for kind, unit in (
        ("classes", "nats"),
        ("numbers", "squared error, standardised"),
        ("boxes", "focal and IoU losses"),
    ):
        title = axis_title("valid_loss", "min", subject("valid_loss", loss, {"task": {"kind": kind}}))
        assert title == f"valid_loss ({unit}, lower is better)"
    assert subject("valid_loss", loss, {}) == "" and axis_title("train_loss", "min") == "train_loss (lower is better)"
    assert subject("latency_ms", size, {"device": "cpu", "task": {"kind": "classes"}}) == "cpu"
