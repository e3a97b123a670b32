"""Charts as inline SVG: lines, dots and the frame around them. Colours come from classes of the page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from evonas_cli.core.display import visible
from evonas_cli.report.drawing.scale import Scale, are_whole, tick_text, without_outliers
from evonas_cli.report.drawing.units import on_log

LEFT, RIGHT, TOP, BOTTOM = 58.0, 16.0, 30.0, 44.0
BEYOND = "beyond"
"""The class of dots at the border that stand for outliers."""
DECADES = 20.0
"""Positive values of which the largest is more than so many times the smallest get a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a chart in units of its own, and the room above its panel, for the title of the y axis."""

    width: float
    height: float
    top: float = TOP

    @property
    def across(self) -> tuple[float, float]:
        """The positions of the left and the right end of the x axis."""
        return LEFT, self.width - RIGHT

    @property
    def up(self) -> tuple[float, float]:
        """The positions of the lower and the upper end of the y axis."""
        return self.height - BOTTOM, self.top


HALF, THIRD, WIDE, LOW = Size(520, 318), Size(400, 230, 12.0), Size(1080, 358), Size(1080, 268)


@dataclass(frozen=True, slots=True)
class Series:
    """A line: `css` has its classes, `keys` what each of its points is of (`run:index`; empty for no point at all).

    With `step` each value holds up to the next place, and the last one up to `end`.
    """

    css: str
    at: Sequence[float]
    value: Sequence[float | None]
    keys: Sequence[str] = ()
    step: bool = True
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A candidate at a place of a chart; without a `value` it lies on the floor of the chart."""

    css: str
    key: str
    at: float
    value: float | None


def lines(
    series: Sequence[Series],
    titles: tuple[str, str],
    label: str,
    size: Size = HALF,
    log: bool | None = None,
    zero: bool = True,
) -> str:
    """A chart of lines over an axis that begins at 0, or at the first place without `zero`; `titles` are those of the
    x and the y axis, `label` is the chart's name for a screen reader, `log` is for `scale`."""
    places = [place for one in series for place in (*one.at, *([] if one.end is None else [one.end]))]
    x = scale(places, *size.across, zero=zero, log=False)
    y = scale([value for one in series for value in one.value if value is not None], *size.up, log=log)
    out = [*opening(size, label), *frame(size, x, y, titles)]
    for one in series:
        out.append(f'<path class="line {one.css}" d="{_path(one, x, y)}"/>')
        for key, at, value in zip(one.keys, one.at, one.value, strict=False):
            if value is not None:
                out.append(_circle(f"p {one.css}", key, x(at), y(value)))
        is_point = len(one.at) == 1 and (one.end is None or one.end <= one.at[0])
        if not one.keys and is_point and (only := one.value[0]) is not None:
            out.append(f'<circle class="{one.css}" cx="{x(one.at[0]):.1f}" cy="{y(only):.1f}" r="3"/>')
    return "\n".join([*out, "</svg>"])


def dots(
    found: Sequence[Dot], series: Sequence[Series], titles: tuple[str, str], label: str, log: bool | None = None
) -> str:
    """A chart of candidates over time, with lines above them; failures lie as strokes on the floor, outliers at the
    border (BEYOND)."""
    size = WIDE
    places = [dot.at for dot in found] + [one.end for one in series if one.end is not None]
    x = scale(places, *size.across, zero=True)
    values = [dot.value for dot in found if dot.value is not None]
    kept = [value for one in series for value in one.value if value is not None]
    y = scale(values, size.up[0] - 14, size.up[1], log=log, keep=kept)
    out = [*opening(size, label), *frame(size, x, y, titles)]
    for dot in found:
        if dot.value is None:
            at, floor = x(dot.at), size.up[0]
            out.append(f'<path class="x {dot.css}" data-k="{dot.key}" d="M{at:.1f} {floor - 11:.1f}v10"/>')
        else:
            css = dot.css if y.holds(dot.value) else f"{dot.css} {BEYOND}"
            out.append(_circle(css, dot.key, x(dot.at), y.clipped(dot.value)))
    out += [f'<path class="line {one.css}" d="{_path(one, x, y)}"/>' for one in series]
    return "\n".join([*out, "</svg>"])


def scale(
    values: Iterable[float],
    start: float,
    end: float,
    zero: bool = False,
    log: bool | None = None,
    keep: Iterable[float] | None = None,
) -> Scale:
    """A scale with a margin around the values; `zero` begins it at 0 without one. `log` None: as DECADES says.

    With `keep` outliers (`scale.bounds`) lie outside, and the values to keep inside. The page's script has the same
    rules for margins. Without a value the scale goes from 0 to 1.
    """
    found = list(values)
    whole = bool(found) and are_whole(found)
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if zero:
        return Scale(0.0, high if high > 0 else 1.0, start, end, False, whole)

    def spans_decades() -> bool:
        return low > 0 and (high > DECADES * low if log is None else log)

    if found and keep is not None:
        inside = [*without_outliers(found, spans_decades()), *keep]
        low, high = min(inside), max(inside)
    if spans_decades():
        margin = (high / low) ** 0.04 if high > low else 1.2
        return Scale(low / margin, high * margin, start, end, True, whole)
    if low == high == 0.0:  # no value is negative where all are 0
        high = 1.0
    margin = 0.05 * (high - low) or abs(high) * 0.05
    return Scale(low - margin, high + margin, start, end, False, whole)


def logarithm(direction: str) -> bool | None:
    """`log` of `scale` for a metric: never a logarithm where more is better, for those approach an upper end."""
    return False if direction == "max" else None


def opening(size: Size, label: str, extra: str = "", css: str = "chart") -> list[str]:
    """The start of a chart, with its name."""
    return [
        f'<svg class="{css}" viewBox="0 0 {size.width:g} {size.height:g}" role="img"{extra}>',
        f"<title>{text(label)}</title>",
    ]


def frame(size: Size, x: Scale, y: Scale, titles: tuple[str, str]) -> list[str]:
    """Grid, axes, ticks with labels, and the titles of the axes: of x below, of y above the panel ("": none)."""
    (left, right), (bottom, top) = size.across, size.up
    out = ['<g class="grid">']
    for value in x.ticks():
        at = f"{x(value):.1f}"
        out.append(f'<path d="M{at} {top:g}V{bottom:g}"/><text x="{at}" y="{bottom + 17:g}">{tick_text(value)}</text>')
    for value in y.ticks():
        at = f"{y(value):.1f}"
        out.append(
            f'<path d="M{left:g} {at}H{right:g}"/>'
            f'<text class="y" x="{left - 7:g}" y="{y(value) + 4:.1f}">{tick_text(value)}</text>'
        )
    out.append(f'<path class="axis" d="M{left:g} {top:g}V{bottom:g}H{right:g}"/>')
    across, along = (on_log(title) if axis.log and title else title for title, axis in zip(titles, (x, y), strict=True))
    out.append(f'<text class="title" x="{(left + right) / 2:g}" y="{size.height - 7:g}">{text(across)}</text>')
    if along:
        out.append(f'<text class="start name" x="4" y="{top - 14:g}">{text(along)}</text>')
    elif y.log:
        out.append(f'<text class="start" x="{left + 5:g}" y="{top:g}">log scale</text>')
    return [*out, "</g>"]


def bar(share: float, interval: tuple[float, float] | None) -> str:
    """A share as a small bar with its interval as a whisker."""
    whisker = ""
    if interval is not None:
        low, high = (1 + 118 * value for value in interval)
        whisker = f'<path class="whisker" d="M{low:.1f} 7H{high:.1f}M{low:.1f} 4v6M{high:.1f} 4v6"/>'
    return (
        '<svg class="bar" viewBox="0 0 120 14" aria-hidden="true"><rect class="rail" y="2" width="120" height="10" '
        f'rx="2"/><rect class="fill" y="2" width="{120 * share:.1f}" height="10" rx="2"/>{whisker}</svg>'
    )


def _path(one: Series, x: Scale, y: Scale) -> str:
    out: list[str] = []
    pen = "M"
    for at, value in zip(one.at, one.value, strict=True):
        if value is None:
            pen = "M"
            continue
        if pen == "M":
            out.append(f"M{x(at):.1f} {y(value):.1f}")
        elif one.step:
            out.append(f"H{x(at):.1f}V{y(value):.1f}")
        else:
            out.append(f"L{x(at):.1f} {y(value):.1f}")
        pen = "L"
    if out and one.step and one.end is not None:
        out.append(f"H{x(one.end):.1f}")
    return "".join(out)


def _circle(css: str, key: str, x: float, y: float) -> str:
    return f'<circle class="{css}" data-k="{key}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def text(value: str) -> str:
    """Text for SVG; characters that would steer a terminal become escapes."""
    return escape(visible(value))
