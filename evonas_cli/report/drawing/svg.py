"""SVG in small: colours, text that is always text, strokes, legends and the file around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from evonas_cli.core.display import visible

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito (2008): told apart by people who are colour-blind. Further groups repeat them with dashes."""

DASHES = ("", "7 3", "2 3", "9 3 2 3")
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
SIZE = 12
"""Height of text, in pixels."""
ASIDE = "#555"
"""The colour of notes."""
LINE = 20
"""Height of a line of a legend or of a caption, in pixels."""
_BREADTH = 0.56
"""Mean width of a letter as a share of the height of text: an estimate, since fonts differ."""


def text(words: str) -> str:
    """Text for XML; characters that it does not allow become escapes."""
    return escape(visible(words), {'"': "&quot;"})


def cut(words: str, limit: int) -> str:
    """The text, or its beginning with three dots."""
    return words if len(words) <= limit else f"{words[: limit - 3]}..."


def colour(number: int) -> str:
    """The colour of the group with this number."""
    return COLOURS[number % len(COLOURS)]


def stroke(number: int, width: float = 2) -> str:
    """The attributes of the line of the group with this number."""
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{colour(number)}" stroke-width="{width:g}"{dashes}'


def label(x: float, y: float, words: str, anchor: str = "start", fill: str = "#000", size: int = SIZE) -> str:
    """A text at a place; one in the colour ASIDE has a class of its own."""
    css = ' class="aside"' if fill == ASIDE else ""
    more = ("" if anchor == "start" else f' text-anchor="{anchor}"') + ("" if fill == "#000" else f' fill="{fill}"')
    sized = "" if size == SIZE else f' font-size="{size}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{css}{more}{sized}>{text(words)}</text>'


def breadth(words: str, size: int = SIZE) -> float:
    """About how wide a text is, in pixels."""
    return len(words) * size * _BREADTH


def wrapped(words: str, width: float) -> list[str]:
    """A text in lines of about this width, in pixels."""
    lines: list[str] = []
    for word in words.split(" "):
        if lines and breadth(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def legend(names: Sequence[str], x: float, y: float) -> list[str]:
    """A line per group with its stroke and its name."""
    out = []
    for number, name in enumerate(names):
        at = y + LINE * number
        out.append(f'<line x1="{x:.1f}" x2="{x + 30:.1f}" y1="{at:.1f}" y2="{at:.1f}" {stroke(number)}/>')
        out.append(label(x + 38, at + 4, cut(name, 100)))
    return out


def document(width: float, height: float, title: str, body: Iterable[str], css: str = "sheet") -> str:
    """The file, which refers to nothing outside of it. Elements have classes beside their light colours, so that a
    page's own style sheet can give them others."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{css}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="{FONT}" font-size="{SIZE}">'
    )
    sheet = f'<rect class="paper" width="{width:g}" height="{height:g}" fill="white"/>'
    return "\n".join([head, f"<title>{text(title)}</title>", sheet, *body, "</svg>"]) + "\n"
