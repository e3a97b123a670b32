"""Mending a run: the good lines of the journal stay, and what lies where derived files belong makes way for them."""

from __future__ import annotations

import os

from evonas_cli.store.directory import FOLDERS, RunDirectory
from evonas_cli.store.files import discard, moved, open_for_writing, write_bytes, wrong_kind
from evonas_cli.store.journal import scan
from evonas_cli.store.reading import open_file
from evonas_cli.store.snapshots import numbered


def mend_journal(run: RunDirectory) -> list[str]:
    """Keeps the good lines, of several about one candidate the first; says what was done.

    The damaged journal stays beside the new one as `journal.damaged.jsonl`.
    """
    if not os.path.lexists(run.journal):
        os.close(open_for_writing(run.journal, os.O_WRONLY))
        return ["made an empty journal"]
    found = scan(run.journal)
    with open_file(run.journal) as file:
        raw = file.read()
    kept: dict[int, bytes] = {}
    for id, offset, _ in found.good:
        kept.setdefault(id, raw[offset : raw.index(b"\n", offset) + 1])
    good = b"".join(kept.values())
    if good == raw:
        return []
    write_bytes(run.root / "journal.damaged.jsonl", raw, durable=True)
    write_bytes(run.journal, good, durable=True)
    return [f"kept {len(kept)} good lines of the journal; the old file is journal.damaged.jsonl"]


def make_way(run: RunDirectory) -> list[str]:
    """Moves away what is no file or folder of a run and lies where one belongs; says what was moved."""
    return [f"moved {path} away, to {moved(path)}: it was {what}" for path, what in run.misplaced()]


def free_lock(run: RunDirectory) -> list[str]:
    """Moves away what lies where the lock belongs and is no file, so that no process can hold it; says so."""
    what = wrong_kind(run.lock)
    return [] if what is None else [f"moved {run.lock} away, to {moved(run.lock)}: it was {what}"]


def remove_derived(run: RunDirectory) -> None:
    """Removes all numbered files and the table."""
    for folder in FOLDERS:
        for path in numbered(run.root / folder):
            discard(path)
    discard(run.root / "pareto.csv")
