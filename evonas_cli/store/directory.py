"""The run directory: where it lies, how it is made, found and described.

run.json  config.yaml  journal.jsonl  lock  candidates/<id>/  snapshots/<told>.json
derived: populations/<step>.json  fronts/<step>.json  figures.jsonl  pareto.csv  status.json
measured: throughput.jsonl
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure, RunError, UsageError
from evonas_cli.core.types import Training
from evonas_cli.store.description import FORMAT, mark, wrong_metadata, wrong_status
from evonas_cli.store.draft import clear, clear_drafts, draft
from evonas_cli.store.files import check_kind, write_json, write_text, wrong_kind
from evonas_cli.store.lock import held
from evonas_cli.store.reading import Absent, open_file, read_json, read_text
from evonas_cli.store.tree import folders_with

FOLDERS = ("snapshots", "populations", "fronts")
"""Folders of derived files that are named by a number of steps."""
FILES = ("status.json", "figures.jsonl", "throughput.jsonl", "pareto.csv")
"""Files beside the journal that a search writes over and over."""
LONGEST = 100
"""Characters of a name: with what is put before it, it fits every file system."""
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")


@dataclass(frozen=True)
class RunDirectory:
    """A run on disk."""

    root: Path

    @property
    def journal(self) -> Path:
        """The journal file."""
        return self.root / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """The file that the kernel lock is on."""
        return self.root / "lock"

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots."""
        return self.root / "snapshots"

    @property
    def figures(self) -> Path:
        """The file of the strategy's figures."""
        return self.root / "figures.jsonl"

    @property
    def throughput(self) -> Path:
        """The file of what the workers were busy with."""
        return self.root / "throughput.jsonl"

    def folder(self, id: int) -> Path:
        """The candidate's own folder; the first writer makes the folder. Raises RunError where it is no folder."""
        path = self.root / "candidates" / str(id)
        check_kind(path.parent, folder=True)
        check_kind(path, folder=True)
        return path

    def report(self, training: Training) -> None:
        """Nothing: files do not tell of trainings that are under way."""

    def exists(self) -> bool:
        """Whether the directory holds a run."""
        return (self.root / "run.json").is_file()

    def metadata(self) -> dict[str, Any]:
        """run.json. Raises RunError when there is none, it is damaged, or a newer evonas wrote it."""
        version, data = self._described()
        if version > FORMAT:
            raise RunError(
                f"{self.root} was written in run format {version}, this evonas ({FORMAT}) is older; "
                f"use evonas {data.get('evonas', 'of a later version')} or newer"
            )
        return data

    def _described(self) -> tuple[int, dict[str, Any]]:
        """The format and the whole of run.json, which may be a newer evonas'."""
        path = self.root / "run.json"
        try:
            data = read_json(path)
        except Absent:
            raise RunError(f"{self.root} is no run: it has no run.json") from None
        except RunError as error:
            raise RunError(f"{error}; restore it from a copy") from error
        wrong = wrong_metadata(data)
        if wrong is not None:
            raise RunError(f"{path} is damaged ({wrong}); restore it from a copy")
        return data["format"], data

    def mark(self) -> str:
        """What tells this run from every other one, a copy aside: a digest of what it is and when it was made.

        Raises RunError.
        """
        return mark(self.metadata())

    def config_text(self) -> str:
        """config.yaml. Raises RunError."""
        return read_text(self.root / "config.yaml")

    def misplaced(self) -> list[tuple[Path, str]]:
        """What lies where derived files and their folders belong and is none, such as a symbolic link, in words."""
        places = [(self.root / name, False) for name in FILES] + [(self.root / name, True) for name in FOLDERS]
        found = [(path, wrong_kind(path, folder)) for path, folder in places]
        return [(path, what) for path, what in found if what is not None]

    def check_places(self) -> None:
        """Raises RunError when something is misplaced."""
        for path, what in self.misplaced():
            raise RunError(f"{path} is {what}; `evonas verify {self.root} --repair` moves it away")

    def written_status(self) -> dict[str, Any]:
        """status.json; an empty document when it is not there yet. Raises RunError when it is damaged or of another
        run."""
        return self._own_status(None)

    def _own_status(self, described: tuple[int, dict[str, Any]] | None) -> dict[str, Any]:
        """The same, with what `_described` tells where that is known already. Another run's has another mark, as far as
        this version can tell."""
        path = self.root / "status.json"
        try:
            status = read_json(path)
        except Absent:
            return {}
        wrong = wrong_status(status)
        if wrong is not None:
            raise RunError(f"{path} is damaged ({wrong})")
        if "run" in status:
            version, data = described or self._described()
            if version <= FORMAT and status["run"] != mark(data):
                raise RunError(f"{path} is another run's")
        return status

    def status(self) -> dict[str, Any]:
        """status.json, or an empty document when it is not there yet, damaged, or another run's: it decides nothing
        that the journal does not say, and the next session writes it again."""
        try:
            return self.written_status()
        except RunError:
            return {}

    def elapsed(self) -> float:
        """The seconds that status.json tells of; 0 when it tells of none."""
        return float(self.status().get("elapsed_seconds", 0.0))

    def recorded(self) -> int:
        """How many lines the journal has; 0 where it cannot be read."""
        with contextlib.suppress(OSError, RunError):
            return _lines(self.journal)
        return 0

    def state(self) -> str:
        """done, failed, interrupted or running, as status.json says, unless the process behind it is gone; damaged when
        run.json or status.json cannot be read or the journal has fewer lines than status.json tells of."""
        return self.standing()[0]

    def standing(self) -> tuple[str, int, dict[str, Any]]:
        """The state, the number of the journal's lines (0 where it cannot be read), and status.json (empty where it is
        not there, or damaged)."""
        lines, status = self.recorded(), dict[str, Any]()
        try:
            status = self._own_status(self._described())
            open_file(self.journal).close()
        except (OSError, RunError):
            return "damaged", lines, status or self.status()
        if lines < status.get("evaluations", 0):
            return "damaged", lines, status
        state: str = status.get("state", "running")
        return "interrupted" if state == "running" and not held(self.lock) else state, lines, status

    def check_free(self) -> None:
        """Raises UsageError for a folder that cannot become a run's."""
        if not self.root.name:
            raise UsageError(f"--run-dir {self.root} is no folder of its own; give it a name")
        if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
            raise UsageError(f"{self.root} exists and is not empty; choose another --run-dir")

    def create(self, config_text: str, metadata: Mapping[str, Any]) -> None:
        """Makes the directory with both files at once. Raises UsageError when it holds something already."""
        self.check_free()
        clear_drafts(self.root.parent)
        try:
            with draft(self.root) as folder:
                write_text(folder / "config.yaml", config_text, durable=True)
                write_json(folder / "run.json", {"format": FORMAT, **metadata}, durable=True)
                (folder / "journal.jsonl").touch()
        except FileExistsError as error:
            raise UsageError(f"{self.root} exists and is not empty; choose another --run-dir") from error


def _lines(journal: Path) -> int:
    """How many lines there are. Raises OSError, and RunError for what is no file."""
    with open_file(journal) as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def check_name(label: str) -> None:
    """Raises UsageError for what cannot be a part of a folder's name."""
    if len(label) > LONGEST:
        raise UsageError(
            f"run.name has {len(label)} characters; {LONGEST} is the most, so that a folder can be called so"
        )
    if not NAME.fullmatch(label):
        raise UsageError(
            f"run.name is {label!r}; use letters, digits, '.', '_' and '-', starting with a letter or a digit"
        )


def new_root(outputs: Path, label: str, now: datetime) -> Path:
    """A free `outputs/<date>/<time>-<label>`, made at once so that no other process takes it."""
    check_name(label)
    clear(outputs)
    folder, stem = outputs / f"{now:%Y-%m-%d}", f"{now:%H%M%S}-{label}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for n in range(1, 1000):
            root = folder / (stem if n == 1 else f"{stem}-{n}")
            with contextlib.suppress(FileExistsError):
                root.mkdir()
                return root
    except OSError as error:
        raise EnvironmentFailure(f"cannot write into {folder}: {error.strerror}") from error
    raise UsageError(f"{folder} has 999 runs of this second; set run.name")


def abandon(root: Path) -> None:
    """Removes what `new_root` made, and the folders above it, as far as they are empty: nothing of a run that began."""
    for folder in (root, *list(root.parents)[:2]):
        try:
            folder.rmdir()
        except OSError:
            return


def runs(outputs: Path) -> list[RunDirectory]:
    """All runs under the outputs folder, oldest first."""
    return sorted(below(outputs), key=lambda run: (_created(run.root), run.root))


def below(folder: Path) -> list[RunDirectory]:
    """All runs in or under a folder by path; hidden folders are drafts, and a run holds no other.

    Symbolic links are followed. A run with several paths is found once, by one without a link where there is one.
    """
    return sorted(map(RunDirectory, folders_with("run.json", folder)), key=lambda run: run.root)


def name_of(run: RunDirectory, outputs: Path) -> str:
    """The path below the outputs folder, by which a run is listed and found."""
    return run.root.name if run.root == outputs else str(run.root.relative_to(outputs))


def _created(root: Path) -> str:
    try:
        return str(RunDirectory(root).metadata()["created"])
    except RunError:
        return ""


def find(reference: str, outputs: Path) -> RunDirectory:
    """The run meant by a path, `latest`, or the unique beginning of its name. Raises RunError."""
    direct = RunDirectory(Path(reference))
    if direct.exists():
        return direct
    known = runs(outputs)
    if reference == "latest":
        if known:
            return known[-1]
        raise RunError(f"there is no run under {outputs}/ yet; start one with `evonas search`")
    names = {run: (run.root.name, name_of(run, outputs)) for run in known}
    hits = [run for run in known if any(name.startswith(reference) for name in names[run])]
    exact = [run for run in hits if reference in names[run]]
    hits = exact or hits
    if len(hits) == 1:
        return hits[0]
    if hits:
        shown = ", ".join(names[run][1] for run in hits[:5])
        raise RunError(f"{reference!r} fits {len(hits)} runs ({shown}{', ...' if len(hits) > 5 else ''}); write more")
    if direct.root.exists():
        raise RunError(f"{reference} is no run: it has no run.json")
    raise RunError(f"no run {reference!r}: neither a folder nor the beginning of a name; `evonas list` shows all")
