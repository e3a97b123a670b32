"""Dots, marks at the border for what lies beyond an axis, and labels that do not lie on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evonas_cli.report.drawing.axes import Frame
from evonas_cli.report.drawing.svg import SIZE, breadth, label

MOST_DOTS = 4000
"""Dots that a picture draws; of more candidates it draws an even share."""
_GAP = 6.0


def dot(frame: Frame, x: float, y: float, radius: float, fill: str, opacity: float = 1.0) -> str:
    """A dot at the values, or a triangle at the border that points to where they are."""
    at, up = frame.x.clipped(x), frame.y.clipped(y)
    look = f'fill="{fill}"' + ("" if opacity == 1.0 else f' opacity="{opacity:g}"')
    if frame.x.holds(x) and frame.y.holds(y):
        return f'<circle cx="{at:.1f}" cy="{up:.1f}" r="{radius:g}" {look}/>'
    angle = _angle(frame, x, y)
    turn = f"translate({at:.1f} {up:.1f}) rotate({angle:g})"
    return f'<path d="M-5 -6L5 -6L0 0Z" transform="{turn}" {look}/>'


def outside(frame: Frame, x: float, y: float) -> bool:
    """Whether the values lie beyond an end of an axis."""
    return not (frame.x.holds(x) and frame.y.holds(y))


def _angle(frame: Frame, x: float, y: float) -> float:
    """Degrees by which a triangle that points down is turned."""
    across = 0 if frame.x.holds(x) else 1 if x > frame.x.high else -1
    along = 0 if frame.y.holds(y) else 1 if y > frame.y.high else -1
    return {(0, 1): 180, (1, 0): -90, (-1, 0): 90, (1, 1): -135, (-1, 1): 135, (1, -1): -45, (-1, -1): 45}.get(
        (across, along), 0
    )


def thinned(count: int, kept: Sequence[int] = ()) -> tuple[list[int], int]:
    """Places of so many candidates that are drawn, with those that have to be `kept`, and the step between them."""
    step = max(1, -(-count // MOST_DOTS))
    return sorted({*range(0, count, step), *kept}), step


def haloed(x: float, y: float, words: str, fill: str) -> str:
    """A text with a white rim, which can be read on dots and lines."""
    rim = '<text paint-order="stroke" stroke="#fff" stroke-width="3" '
    return label(x, y, words, fill=fill, size=SIZE - 1).replace("<text ", rim, 1)


@dataclass
class Labels:
    """Places labels beside dots one by one, and leaves one out where there is no room."""

    frame: Frame
    left_out: int = 0
    _taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def block(self, x: float, y: float, radius: float) -> None:
        """A dot at this position, in pixels, that no label may cover."""
        self._taken.append((x - radius, y - radius, x + radius, y + radius))

    def place(self, x: float, y: float, words: str, fill: str = "#333") -> str | None:
        """The label of a dot at this position, in pixels; None where every place beside the dot is taken."""
        width, height = breadth(words, SIZE - 1), SIZE - 3.0
        for across, along in ((1, -1), (1, 1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, -1), (0, 1)):
            left = x + _GAP if across > 0 else x - _GAP - width if across < 0 else x - width / 2
            top = y - _GAP - height if along < 0 else y + _GAP if along > 0 else y - height / 2
            box = (left, top, left + width, top + height)
            if self._free(box):
                self._taken.append(box)
                return haloed(left, top + height, words, fill)
        self.left_out += 1
        return None

    def _free(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = box
        x, y = self.frame.x, self.frame.y
        if left < x.start or right > x.end or top < y.end or bottom > y.start:
            return False
        return all(
            right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3] for other in self._taken
        )
