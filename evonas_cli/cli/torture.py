"""`evonas verify --torture`: kills, damages and hinders searches of a configuration, and shows what came of each."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evonas_cli.cli.common import print_columns, print_json, remark, say
from evonas_cli.cli.stopping import Terminated
from evonas_cli.core.errors import UsageError
from evonas_cli.core.silence import silenced

if TYPE_CHECKING:
    from evonas_cli.torture.ground import Ground
    from evonas_cli.torture.row import Outcome

HEADINGS = ("", "row", "injected", "expected", "observed")


def torture(words: Sequence[str], kills: int, folders: Sequence[Path], allowed: Sequence[str], as_json: bool) -> int:
    """Carries out every row and prints the table. Returns 1 where something else than expected was observed."""
    from evonas_cli.torture.table import ROWS
    from evonas_cli.torture.torturing import foreseen, outcomes

    if kills < 1:
        raise UsageError(f"--kills is {kills}; it must be 1 or more")
    found = []
    # Warnings would be about damage that the rows have done.
    with silenced(logging.WARNING), _ground(words, kills, folders, allowed) as ground:
        remark(f"evonas: {len(ROWS)} rows in {ground.folder}, which is removed in the end; first an undisturbed search")
        ground.begin()
        remark(
            f"evonas: it took {ground.seconds:.1f} s for {ground.count} candidates; "
            f"all rows take about {_spoken(foreseen(ground, ROWS))}"
        )
        for number, outcome in enumerate(outcomes(ground, ROWS), 1):
            found.append(outcome)
            remark(f"evonas: {number}/{len(ROWS)} {outcome.row.name}: {_told(outcome)} ({outcome.seconds:.1f} s)")
        digest = ground.digest
    wrong = [outcome for outcome in found if outcome.verdict == "DIFFERS"]
    if as_json:
        print_json({"schema": 1, "ok": not wrong, "digest": digest, "rows": [_document(one) for one in found]})
    else:
        print_columns([HEADINGS, *map(_cells, found)], words=range(len(HEADINGS)))
        counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in ("ok", "DIFFERS", "skipped")}
        say(f"{'NOT OK' if wrong else 'ok'}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
    return 1 if wrong else 0


@contextmanager
def _ground(words: Sequence[str], kills: int, folders: Sequence[Path], allowed: Sequence[str]) -> Iterator[Ground]:
    """The ground of the rows, of which nothing is left behind, however the block ends."""
    from evonas_cli.torture.ground import ground

    made = ground(words, kills, folders, allowed)
    try:
        yield made
    except (KeyboardInterrupt, Terminated):
        remark("evonas: stopping; the folder and its processes are removed")
        raise
    finally:
        made.close()


def _told(outcome: Outcome) -> str:
    return outcome.observed if outcome.verdict == "ok" else f"{outcome.verdict}: {outcome.observed}"


def _cells(outcome: Outcome) -> list[str]:
    return [outcome.verdict, outcome.row.name, outcome.row.injected, outcome.row.expected, outcome.observed]


def _document(outcome: Outcome) -> dict[str, str | float]:
    cells = dict(zip(("verdict", *HEADINGS[1:]), _cells(outcome), strict=True))
    return {**cells, "seconds": round(outcome.seconds, 3)}


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
