"""Rows in which the disk takes nothing more, or only some of it: the search ends with one line and goes on later."""

from __future__ import annotations

import shutil
from functools import partial

from evonas_cli.core.processes import command
from evonas_cli.store.directory import RunDirectory
from evonas_cli.torture.child import Fault
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.kills import JOURNAL
from evonas_cli.torture.processes import Done
from evonas_cli.torture.row import Row, Unable, holds, same

REASONS = ("cannot write", "cannot make", "No space left", "Read-only")
"""What a line says of the disk: evonas' own words, or those of the system for what a candidate writes."""
TMPFS_KIB, INODES = 48, 12
"""Size and number of files of file systems in which no search has room; 0 is no limit to `mount`."""
MOUNTED = """
mount -t tmpfs -o size={size}k,nr_inodes={inodes} none "$1" || exit 99
shift
"$@"
code=$?
cp -r "$ROOM/run" "$KEPT" 2>/dev/null
exit $code
"""


def _in_order(done: Done) -> None:
    """Exit code 4, one line that says what cannot be written, no traceback. Raises Differs."""
    same(done.code, 4, "exit code")
    holds("Traceback" not in done.err, "a traceback")
    holds(done.said and any(map(done.said[-1].__contains__, REASONS)), f"no line says what failed: {done.said[-1:]}")


def _hindered(call: str, of: str, act: str, ground: Ground) -> str:
    run, done = ground.broken(Fault(call, of, act, 2, times=0))
    if done.code in (0, 1):
        raise Unable("so short a search makes no such call")
    _in_order(done)
    return f"exit 4, {ground.resume(run)} later"


def _short(ground: Ground) -> str:
    run = ground.free()
    ground.carry_out(run, faults=[Fault("write", JOURNAL, "short", times=0)]).check()
    return ground.compare(run)


def _inodes(ground: Ground) -> str:
    run = ground.free()
    done = ground.carry_out(run, faults=[Fault("open", "", "full", 8, times=0)])
    _in_order(done)
    return f"exit 4, {ground.resume(run)} later"


def _checkpoint(ground: Ground) -> str:
    run = ground.free()
    faults = [Fault("replace", "candidates", "full", times=0), Fault("open", "candidates", "full", times=0)]
    done = ground.carry_out(run, "trainer.checkpoint_seconds=0", faults=faults)
    if done.code in (0, 1):
        raise Unable("the job of the configuration writes no checkpoints")
    _in_order(done)
    return f"exit 4, {ground.resume(run)} later"


def _tmpfs(kib: int, inodes: int, ground: Ground) -> str:
    """A small file system of the process's own, which is gone with it."""
    if not shutil.which("unshare"):
        raise Unable("there is no `unshare`")
    room, kept = ground.free().root, ground.free()
    room.mkdir()
    run = RunDirectory(room / "run")
    words = ["unshare", "--mount", "--map-root-user", "bash", "-c",
             MOUNTED.format(size=kib, inodes=inodes), "bash", str(room)]  # fmt: skip
    environment = {"ROOM": str(room), "KEPT": str(kept.root)}
    words += [*command(here=True), *ground.search(run, *ground.here)]
    done = ground.processes.ended(ground.processes.spawn(words, environment))
    if done.code == 99 or (done.code == 1 and "unshare" in done.err):
        raise Unable(f"no file system may be mounted: {done.err.strip().splitlines()[-1]}")
    _in_order(done)
    if not kept.exists():
        return f"exit 4 before there was a run, {ground.resume(ground.free())} elsewhere"
    return f"exit 4, {ground.resume(kept)} elsewhere"


_EXPECTED = "exit 4 and one line; same digest after a resume"
ROWS = (
    Row(
        "disk full, write",
        "ENOSPC on writing the journal",
        _EXPECTED,
        partial(_hindered, "write", JOURNAL, "full"),
        1.8,
    ),
    Row(
        "disk full, fsync",
        "ENOSPC on fsync of the journal",
        _EXPECTED,
        partial(_hindered, "fsync", JOURNAL, "full"),
        1.8,
    ),
    Row(
        "disk full, status",
        "ENOSPC on writing status.json",
        _EXPECTED,
        partial(_hindered, "replace", "status.json", "full"),
        1.8,
    ),
    Row("disk full, checkpoint", "ENOSPC on writing a checkpoint", _EXPECTED, _checkpoint, 1.8),
    Row("disk full, tmpfs", f"a file system of {TMPFS_KIB} KiB", _EXPECTED, partial(_tmpfs, TMPFS_KIB, 0), 0.9, 0.9),
    Row("no inodes", "no file can be made any more", _EXPECTED, _inodes, 1.8),
    Row("no inodes, tmpfs", f"a file system of {INODES} files", _EXPECTED, partial(_tmpfs, 0, INODES), 0.9, 0.9),
    Row("short write", "each write of the journal takes one byte", "same digest", _short, 1.0),
    Row(
        "read-only",
        "EROFS on writing from some moment on",
        _EXPECTED,
        partial(_hindered, "write", JOURNAL, "read-only"),
        1.8,
    ),
)
