"""A frame with two axes: a grid, ticks, titles, and lines that hold each value up to the next place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evonas_cli.report.drawing.scale import Bounds, Scale, tick_text
from evonas_cli.report.drawing.svg import label, text
from evonas_cli.report.drawing.units import on_log

LEFT, RIGHT, BOTTOM = 72, 16, 52
"""Pixels between a panel's ends and its frame: for the ticks and titles of its axes."""
RULE = 'stroke="#e5e5e5"'
"""The look of a line of the grid."""


@dataclass(frozen=True)
class Frame:
    """A panel's scales and titles; `top` and `height` are the place of the panel, in pixels."""

    x: Scale
    y: Scale
    title_x: str
    title_y: str
    top: float
    height: float

    @property
    def bottom(self) -> float:
        """Where the horizontal axis is."""
        return self.y.start

    def grid(self) -> list[str]:
        """Lines and labels at the ticks."""
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        out = []
        for value in self.x.ticks():
            at = self.x(value)
            out.append(f'<line class="rule" x1="{at:.1f}" x2="{at:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" {RULE}/>')
            out.append(label(at, bottom + 18, tick_text(value), "middle"))
        for value in self.y.ticks():
            at = self.y(value)
            out.append(f'<line class="rule" x1="{left:.1f}" x2="{right:.1f}" y1="{at:.1f}" y2="{at:.1f}" {RULE}/>')
            out.append(label(left - 6, at + 4, tick_text(value), "end"))
        return out

    def axes(self) -> list[str]:
        """The two lines and their titles."""
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        turn = f"translate({left - LEFT + 16:.1f} {(top + bottom) / 2:.1f}) rotate(-90)"
        return [
            f'<path class="axis" d="M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}" fill="none" stroke="#333"/>',
            label((left + right) / 2, bottom + 40, _title(self.title_x, self.x), "middle"),
            f'<text transform="{turn}" text-anchor="middle">{text(_title(self.title_y, self.y))}</text>',
        ]


def frame(x: Bounds, y: Bounds, titles: tuple[str, str], place: tuple[float, float, float, float]) -> Frame:
    """A panel from left to right and top to bottom (`place`, in pixels), with room for its ticks and titles."""
    left, right, top, bottom = place
    across = x.scale(left + LEFT, right - RIGHT)
    return Frame(across, y.scale(bottom - BOTTOM, top), *titles, top, bottom - top)


def corners(at: Sequence[float], values: Sequence[float], x: Scale, y: Callable[[float], float]) -> list[str]:
    """The corners of a curve that holds each value up to the next place."""
    found = [f"{x(at[0]):.1f},{y(values[0]):.1f}"]
    for place in range(1, len(at)):
        here = x(at[place])
        found += [f"{here:.1f},{y(values[place - 1]):.1f}", f"{here:.1f},{y(values[place]):.1f}"]
    return found


def _title(title: str, scale: Scale) -> str:
    return on_log(title) if scale.log else title
