"""Rows that damage the journal of a search that was broken off, and then go on with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from evonas_cli.core.errors import RunError
from evonas_cli.run.verify import repair, verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import scan
from evonas_cli.torture.answering import answered
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Differs, Row, holds, same

Lines: TypeAlias = list[bytes]
FLIP = 0x20
"""The bit of a byte that is turned over: most letters become another case."""


def _torn(ground: Ground) -> str:
    run, whole = ground.copy(), ground.whole.journal.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    resumed = {*range(last, len(whole), max(1, (len(whole) - last) // (2 * ground.kills))), len(whole) - 1}
    for cut in range(last, len(whole)):
        run.journal.write_bytes(whole[:cut])
        found = scan(run.journal)
        same((len(found.good), found.torn, found.damaged), (ground.count - 1, cut - last, []), f"at byte {cut}")
        if cut in resumed:
            answered(ground, run)
    return f"same digest, torn at {len(whole) - last} places, resumed at {len(resumed)}"


def _anywhere(ground: Ground) -> str:
    run, whole = ground.copy(), ground.whole.journal.read_bytes()
    cuts = range(0, len(whole), max(1, len(whole) // (2 * ground.kills)))
    for cut in cuts:
        run.journal.write_bytes(whole[:cut])
        answered(ground, run)
    return f"same digest, cut at {len(cuts)} places"


def _flipped(ground: Ground) -> str:
    whole = ground.whole.journal.read_bytes().splitlines(keepends=True)
    for _ in range(ground.kills):
        number = ground.rng.randrange(len(whole) - 1)
        line = bytearray(whole[number])
        line[ground.rng.randrange(len(line) - 1)] ^= FLIP
        _mended(ground, [*whole[:number], bytes(line), *whole[number + 1 :]], f"line {number + 1} is damaged")
    return f"refused {ground.kills} times with the line's number, same digest after --repair"


def _mended(ground: Ground, lines: Lines, words: str) -> None:
    """A journal that is refused with these words, and goes on to the same end once it is repaired."""
    run = ground.copy()
    run.journal.write_bytes(b"".join(lines))
    _refused(ground, run, words)
    repair(run, ground.parts)
    answered(ground, run)


def _refused(ground: Ground, run: RunDirectory, words: str) -> None:
    try:
        answered(ground, run)
    except RunError as error:
        holds(words in str(error), f"refused with other words: {error}")
    else:
        raise Differs("the run was resumed")


def _missing(ground: Ground) -> str:
    run = ground.copy()
    run.journal.unlink()
    _refused(ground, run, "is missing")
    holds(not verify(run, ground.parts).ok, "verify finds nothing")
    repair(run, ground.parts)
    return f"refused, {answered(ground, run)} after --repair"


def _doubled(ground: Ground) -> str:
    lines = ground.whole.journal.read_bytes().splitlines(keepends=True)
    _mended(ground, [*lines[:2], lines[1], *lines[2:]], "recorded twice")
    return "refused, same digest after --repair"


def _changed(change: Callable[[Lines], Lines], ground: Ground) -> str:
    """A journal that is still one, though another than was written."""
    run = ground.copy()
    run.journal.write_bytes(b"".join(change(ground.whole.journal.read_bytes().splitlines(keepends=True))))
    return answered(ground, run)


def _swapped(lines: Lines) -> Lines:
    return [lines[-1], *lines[1:-1], lines[0]]


_MENDED = "refused with the reason; same digest after --repair"
ROWS = (
    Row("journal, torn tail", "cut at every byte of its last line", "same digest after a resume", _torn),
    Row("journal, cut anywhere", "cut at many bytes, snapshots ahead of it", "same digest after a resume", _anywhere),
    Row("journal, flipped", "a bit of a random line turned over", _MENDED, _flipped),
    Row("journal, missing", "deleted", _MENDED, _missing),
    Row("journal, empty", "cut to no byte", "same digest after a resume", partial(_changed, lambda lines: [])),
    Row("journal, one line", "cut to its first line", "same digest after a resume", partial(_changed, lambda x: x[:1])),
    Row("journal, swapped", "first and last line swapped", "same digest", partial(_changed, _swapped)),
    Row("journal, doubled", "a line written twice", _MENDED, _doubled),
)
