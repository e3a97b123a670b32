"""What pictures of one panel share: a title above, a legend and notes below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evonas_cli.report.drawing.axes import LEFT, RIGHT
from evonas_cli.report.drawing.svg import ASIDE, LINE, cut, document, label, legend, wrapped

WIDTH, HEIGHT, TOP = 760, 440, 40
"""Pixels: the breadth of a picture, and where its panel ends and begins."""


@dataclass
class Sheet:
    """A picture in the making; `names` are the groups of its legend, which one group does without."""

    title: str
    names: Sequence[str] = ()
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, count: int, one: str, many: str) -> None:
        """A sentence below the picture about `count` things, if there are any; `{}` stands for their number."""
        if count:
            self.notes.append((one if count == 1 else many).format(f"{count:,}"))

    def svg(self, width: float = WIDTH) -> str:
        """The file."""
        names = self.names if len(self.names) > 1 else ()
        out = [label(LEFT, 22, cut(self.title, int(width / 8)), size=14), *self.body]
        out += legend(names, LEFT, HEIGHT + 8)
        y = HEIGHT + LINE * len(names) + 12
        for note in self.notes:
            for line in wrapped(note, width - LEFT - RIGHT):
                out.append(label(LEFT, y, line, fill=ASIDE))
                y += LINE
        return document(width, y + 4, self.title, out)
