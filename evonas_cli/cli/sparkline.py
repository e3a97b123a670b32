"""Numbers as a line of blocks, one per number: the higher, the larger."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int = 40) -> str:
    """At most `width` blocks between the least and the greatest value; a gap where there is no value.

    Of more values than blocks, each block shows the last one of its share.
    """
    if len(values) > width:
        values = [values[(number + 1) * len(values) // width - 1] for number in range(width)]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(" " if value is None else BLOCKS[_level(value, low, high)] for value in values)


def _level(value: float, low: float, high: float) -> int:
    if high <= low:
        return 0
    share = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves: the difference of two huge numbers may be infinite
    return min(len(BLOCKS) - 1, int(share * len(BLOCKS)))
