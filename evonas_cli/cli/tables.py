"""Tables for a terminal or for a Markdown file, and the table of strategies and spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width with two blanks between them, each row on one line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first row is its head."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [cells[0], ["---"] * len(cells[0]), *cells[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def matrix(reasons: Mapping[str, Mapping[str, str | None]], code: bool = False) -> list[list[str]]:
    """A row for each strategy and a column for each space, `x` where they fit; `code` sets names in backticks."""
    names = list(next(iter(reasons.values()), {}))
    shown = {name: f"`{name}`" if code else name for name in (*names, *reasons)}
    head = ["", *[shown[name] for name in names]]
    return [
        head,
        *[[shown[one], *["x" if row[name] is None else "" for name in names]] for one, row in reasons.items()],
    ]
