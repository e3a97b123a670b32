"""The charts of an explanation: reliability diagram, confusion matrix, intervals, importances, residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.report.drawing.scale import Scale
from evonas_cli.report.explained import belief
from evonas_cli.report.page import charts
from evonas_cli.report.page.charts import Size, text

CLASSES = 30
"""Classes up to which the matrix is drawn."""
SQUARE = Size(400, 340)
LETTER = 8.0
"""Room for a letter of a class' name, also on a narrow screen, where letters are larger."""
_LONGEST = 14


def drawn(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """The explanation with what the page draws of it; one with a `problem` as it is."""
    if "problem" in explanation:
        return dict(explanation)
    calibration, confusion = explanation["calibration"], explanation["confusion"]
    ablation, genes = explanation["ablation"], explanation["genes"]
    names = _named(explanation["names"], explanation["kind"])
    shown = "matrix" in confusion and len(names) <= CLASSES
    return {
        **explanation,
        "names": names,
        "reliability": reliability(calibration, explanation["kind"]) if "bins" in calibration else "",
        "matrix": matrix(confusion["matrix"], names) if shown else "",
        "whiskers": intervals(ablation["parts"]) if "parts" in ablation else [],
        "bars": importances(genes["genes"]) if "genes" in genes else [],
        "belief": belief(genes["spearman"]) if "genes" in genes else "",
        "scatters": [scatter(one["points"], names[k]) for k, one in enumerate(explanation.get("residuals", []))],
    }


def _named(names: Sequence[str], kind: str) -> list[str]:
    """The names of the outputs; numbers whose names are places alone are called so, for a place reads as a value."""
    return [f"number {name}" if kind == "numbers" and name.isdecimal() else name for name in names]


def reliability(calibration: Mapping[str, Any], kind: str = "classes") -> str:
    """Bars of the accuracy in each bin of confidence, or of the share of labels that are present in each bin of their
    probability; what is missing to the bin's mean is framed."""
    x, y = Scale(0.0, 1.0, *SQUARE.across), Scale(0.0, 1.0, *SQUARE.up)
    titles = ("confidence of the answer (probability)", "accuracy (share of answers)")
    if kind == "labels":
        titles = ("probability of the label", "labels present (share)")
    out = [*charts.opening(SQUARE, "reliability diagram"), *charts.frame(SQUARE, x, y, titles)]
    for one in calibration["bins"]:
        left, width = x(one["low"]) + 1, x(one["high"]) - x(one["low"]) - 2
        low, high = sorted((one["accuracy"], one["confidence"]))
        about = f"{one['count']} answers, confidence {one['confidence']:.3f}, accuracy {one['accuracy']:.3f}"
        out += [
            f"<g><title>{text(about)}</title>",
            f'<rect class="fill" x="{left:.1f}" y="{y(one["accuracy"]):.1f}" width="{width:.1f}" '
            f'height="{y(0) - y(one["accuracy"]):.1f}"/>',
            f'<rect class="gap" x="{left:.1f}" y="{y(high):.1f}" width="{width:.1f}" height="{y(low) - y(high):.1f}"/>',
            f'<text x="{left + width / 2:.1f}" y="{y(0) - 4:.1f}" class="count">{_count(one["count"])}</text></g>',
        ]
    out.append(f'<path class="line side" d="M{x(0):.1f} {y(0):.1f}L{x(1):.1f} {y(1):.1f}"/>')
    return "\n".join([*out, "</svg>"])


def _count(count: int) -> str:
    """A count that a bar of the diagram is wide enough for."""
    return str(count) if count < 1000 else f"{count / 1000:.0f}k"


def matrix(rows: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """Counts of answers (columns) to examples of each class (rows); the stronger the colour, the greater the share of
    the row."""
    side, letters = 30.0, max([min(len(name), _LONGEST) for name in names], default=0)
    left, top = 20 + LETTER * letters, 14 + LETTER * letters
    size = Size(left + side * len(rows) + 8, top + side * len(rows) + 8)
    out = [*charts.opening(size, "confusion matrix", f' width="{1.25 * size.width:.0f}"', "chart matrix")]
    for k, name in enumerate(names):
        middle, short = side * (k + 0.5), text(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}.")
        out.append(f'<text class="y" x="{left - 6:g}" y="{top + middle + 4:g}">{short}</text>')
        turned = f"rotate(-90 {left + middle + 4:g} {top - 6:g})"
        out.append(f'<text class="start" x="{left + middle + 4:g}" y="{top - 6:g}" transform="{turned}">{short}</text>')
    for a, row in enumerate(rows):
        for b, count in enumerate(row):
            share = count / max(1, sum(row))
            css = "right" if a == b else "wrong"
            place = (
                f'x="{left + side * b + 0.5:g}" y="{top + side * a + 0.5:g}" width="{side - 1:g}" height="{side - 1:g}"'
            )
            about = text(f"{names[a]} taken for {names[b]}: {count} of {sum(row)}")
            out.append(f'<g><title>{about}</title><rect class="rail" {place}/>')
            out.append(f'<rect class="{css}" {place} fill-opacity="{share**0.5:.2f}"/>')
            if count:
                at = f'x="{left + side * (b + 0.5):g}" y="{top + side * (a + 0.5) + 4:g}"'
                out.append(f'<text class="{"on" if share > 0.5 else "ink"}" {at}>{count}</text>')
            out.append("</g>")
    return "\n".join([*out, "</svg>"])


def intervals(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each part its difference as a dot, with its interval, on one scale around 0."""
    ends = [abs(end) for part in parts for end in (part["difference"], *(part["interval"] or ()))]
    most = max(ends, default=0.0) or 1.0

    def at(value: float) -> str:
        return f"{80 + 76 * value / most:.1f}"

    found = []
    for part in parts:
        span = part["interval"]
        whisker = ""
        if span is not None:
            whisker = f'<path class="whisker" d="M{at(span[0])} 8H{at(span[1])}M{at(span[0])} 4v8M{at(span[1])} 4v8"/>'
        css = {"needed": "r1", "harmful": "r2"}.get(part["verdict"], "r7")
        found.append(
            '<svg class="bar wide" viewBox="0 0 160 16" aria-hidden="true"><path class="whisker zero" d="M80 0v16"/>'
            f'{whisker}<circle class="{css}" cx="{at(part["difference"])}" cy="8" r="4"/></svg>'
        )
    return found


def importances(genes: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each gene its importance as a bar, the greatest of full length."""
    most = max([one["share"] for one in genes] + [1e-9])
    return [charts.bar(max(0.0, one["share"]) / most, None) for one in genes]


def scatter(points: Sequence[tuple[float, float]], name: str) -> str:
    """Predicted against true numbers, with the line of no error."""
    values = [value for pair in points for value in pair]
    x = charts.scale(values, *SQUARE.across, log=False)
    y = charts.scale(values, *SQUARE.up, log=False)
    out = [
        *charts.opening(SQUARE, f"predicted {name} against the true one"),
        *charts.frame(SQUARE, x, y, (f"true {name}", f"predicted {name}")),
    ]
    low, high = min(values), max(values)
    out.append(f'<path class="line side" d="M{x(low):.1f} {y(low):.1f}L{x(high):.1f} {y(high):.1f}"/>')
    out += [f'<circle class="r0 d" cx="{x(true):.1f}" cy="{y(guess):.1f}" r="3"/>' for true, guess in points]
    return "\n".join([*out, "</svg>"])
