"""Rows that delete or damage what is derived from the journal, and then go on with the search."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from evonas_cli.core.errors import RunError
from evonas_cli.run.verify import repair, verify
from evonas_cli.store.directory import FILES, FOLDERS, RunDirectory
from evonas_cli.torture.answering import answered
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Row, holds, same

Damage: TypeAlias = Callable[[Path], object]
NAMES = (*FOLDERS, *FILES, "lock")
"""All that is written beside run.json, config.yaml and the journal."""
DAMAGES: Mapping[str, tuple[str, Damage]] = {
    "deleted": ("deleted", Path.unlink),
    "garbage": ("overwritten with bytes that are no text", lambda path: path.write_bytes(b"\x00\xff{\n")),
    "shape": ("overwritten with JSON of another shape", lambda path: path.write_bytes(b"[1, 2]\n")),
    "deep": ("overwritten with JSON 100,000 lists deep", lambda path: path.write_bytes(b"[" * 100_000 + b"\n")),
    "infinite": ("overwritten with numbers that are none", lambda path: path.write_bytes(b'{"step": 1e999}\n')),
    "empty": ("emptied", lambda path: path.write_bytes(b"")),
}


def _files(run: RunDirectory) -> list[Path]:
    """Every derived file of the run."""
    found = [path for name in NAMES for path in [run.root / name, *(run.root / name).glob("*")] if path.is_file()]
    return sorted(found)


def _damaged(damage: Damage, ground: Ground) -> str:
    """Each file at a time in a copy of the whole run, all files at once in one of the half."""
    files = [path.relative_to(ground.whole.root) for path in _files(ground.whole)]
    for name in files:
        run = ground.copy()
        damage(run.root / name)
        if not verify(run, ground.parts).ok:
            repair(run, ground.parts)
        same(verify(run, ground.parts).problems, [], f"problems once {name} was repaired")
        shutil.rmtree(run.root)
    half = ground.half()
    for path in _files(half):
        damage(path)
    return f"{answered(ground, half)}, {len(files)} files"


def _folders(ground: Ground) -> str:
    half = ground.half()
    for name in FOLDERS:
        shutil.rmtree(half.root / name, ignore_errors=True)
    return answered(ground, half)


def _links(ground: Ground) -> str:
    """What lies where a derived file belongs leads out of the run, and nothing is written there."""
    outside, refused = ground.free().root, 0
    outside.mkdir()
    (outside / "precious").write_text("not the run's\n")
    for name in NAMES:
        run, to = ground.half(), outside if name in FOLDERS else outside / "precious"
        path = run.root / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(to)
        try:
            answered(ground, run)
        except RunError:
            refused += 1
        same(os.listdir(outside), ["precious"], f"{name}: files outside")
        same((outside / "precious").read_text(), "not the run's\n", f"{name}: outside")
    holds(refused, "no link was refused")
    return f"nothing written outside, {refused} of {len(NAMES)} refused"


ROWS = (
    *(
        Row(f"derived files, {name}", f"each of them {words}", "repaired; same digest", partial(_damaged, damage))
        for name, (words, damage) in DAMAGES.items()
    ),
    Row("derived folders", f"{', '.join(FOLDERS)} deleted", "same digest after a resume", _folders),
    Row("derived files, links", "each of them a link out of the run", "nothing is written outside", _links),
)
