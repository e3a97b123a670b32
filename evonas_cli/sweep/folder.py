"""A sweep on disk: its manifest, its lock, and what its children's run directories say.

outputs/sweep-NAME/: sweep.json  lock  <child>/ (a run directory each)  <child>.log (what the child said on stderr)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evonas_cli import __version__
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.types import Json
from evonas_cli.store.directory import LONGEST, NAME, RunDirectory
from evonas_cli.store.draft import clear_drafts, draft
from evonas_cli.store.files import write_json
from evonas_cli.store.glance import glance
from evonas_cli.store.lock import Lock, held
from evonas_cli.store.reading import Absent, read_json
from evonas_cli.sweep.children import Child

FORMAT = 1
_PREFIX = "sweep-"
_SHOWN = 8


@dataclass(frozen=True)
class Manifest:
    """What a sweep consists of. `config_dirs` are absolute; `allowed_modules` have to be allowed again to resume."""

    created: str
    command: tuple[str, ...]
    config_dirs: tuple[str, ...]
    allowed_modules: tuple[str, ...]
    children: tuple[Child, ...]


@dataclass(frozen=True)
class Standing:
    """How far a child is: its state (that of its run, or waiting, skipped, or foreign: its folder is another search's),
    its evaluations, the best value of its first objective as of its last written front, and the seconds that it ran."""

    child: Child
    state: str
    evaluations: int
    objective: str | None
    best: float | None
    seconds: float


@dataclass(frozen=True)
class SweepFolder:
    """A sweep's folder."""

    root: Path

    @property
    def name(self) -> str:
        """The name that `evonas sweep resume` takes."""
        return self.root.name.removeprefix(_PREFIX)

    def run(self, child: Child) -> RunDirectory:
        """The child's run directory, there or not."""
        return RunDirectory(self.root / child.name)

    def log(self, child: Child) -> Path:
        """What the child says on stderr."""
        return self.root / f"{child.name}.log"

    def last_words(self, child: Child) -> str:
        """The last line of the child's log, or where to look when it has none."""
        lines = self.log(child).read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1].removeprefix("evonas: ") if said else f"{self.log(child)} says nothing"

    def exists(self) -> bool:
        """Whether it holds a sweep."""
        return (self.root / "sweep.json").is_file()

    def busy(self) -> bool:
        """Whether a process works on it."""
        return held(self.root / "lock")

    def acquire(self) -> Lock:
        """The lock that one process holds on the sweep. Raises LockedError."""
        return Lock(self.root / "lock")

    def create(self, manifest: Manifest) -> None:
        """Makes the folder and the manifest at once. Raises UsageError when the folder is there already."""
        clear_drafts(self.root.parent)
        try:
            with draft(self.root) as folder:
                document = {"format": FORMAT, "evonas": __version__, **asdict(manifest)}
                write_json(folder / "sweep.json", document, durable=True)
        except FileExistsError as error:
            raise taken(self) from error

    def manifest(self) -> Manifest:
        """sweep.json. Raises RunError when there is none, it is damaged, or a newer evonas wrote it."""
        path = self.root / "sweep.json"
        try:
            data = read_json(path)
            version = int(data["format"])
            if version <= FORMAT:
                return _read(data)
        except Absent:
            raise RunError(f"{self.root} is no sweep: it has no sweep.json") from None
        except RunError as error:
            raise RunError(f"{error}; restore it from a copy") from error
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise RunError(f"{path} is damaged ({type(error).__name__}); restore it from a copy") from error
        raise RunError(f"{self.root} was written in sweep format {version}, this evonas ({FORMAT}) is older")

    def created(self) -> str:
        """When it was made; an empty word where the manifest does not say."""
        try:
            return self.manifest().created
        except RunError:
            return ""

    def standing(self, child: Child) -> Standing:
        """How far the child is, from its run directory alone."""
        run = self.run(child)
        if child.refused is not None:
            return Standing(child, "skipped", 0, None, None, 0.0)
        if not run.exists():
            return Standing(child, "waiting", 0, None, None, 0.0)
        seen = glance(run)
        state = "foreign" if self.foreign(child) is not None else seen.state
        objective, best = seen.best or (None, None)
        return Standing(child, state, seen.told_of, objective, best, seen.seconds)

    def foreign(self, child: Child) -> str | None:
        """What is wrong when the child's folder was made with other overrides than the child's; a run that no sweep
        made says nothing about it."""
        try:
            words = [str(word) for word in self.run(child).metadata().get("command", ())]
        except (RunError, TypeError):
            return None
        made = words[words.index("--") + 1 :] if "--" in words else list(child.overrides)
        if made == list(child.overrides):
            return None
        theirs = " ".join([word for word in made if word not in child.overrides] or made) or "no overrides"
        return (
            f"{self.run(child).root} is another search's folder, made with {theirs}; "
            "give each folder of the sweep the name back that it had"
        )

    def document(self, standings: Sequence[Standing]) -> dict[str, Json]:
        """The sweep as one JSON document."""
        return {
            "schema": 1,
            "sweep": str(self.root),
            "name": self.name,
            "active": self.busy(),
            "states": dict(sorted(Counter(standing.state for standing in standings).items())),
            "evaluations": sum(standing.evaluations for standing in standings),
            "children": [
                {
                    "run": str(self.run(s.child).root),
                    **{key: value for key, value in asdict(s).items() if key != "child"},
                    **asdict(s.child),
                    "overrides": list(s.child.overrides),
                }
                for s in standings
            ],
        }


def _read(data: Mapping[str, Any]) -> Manifest:
    """A manifest from its JSON. Raises ValueError, KeyError or TypeError for anything that evonas does not write."""
    children = tuple(
        Child(str(c["name"]), _words(c["overrides"]), None if c["refused"] is None else str(c["refused"]))
        for c in data["children"]
    )
    if not children or len({child.name for child in children}) < len(children):
        raise ValueError("children without names of their own")
    for child in children:
        if not NAME.fullmatch(child.name) or not all("=" in text for text in child.overrides):
            raise ValueError(f"child {child.name!r} is none that evonas makes")
    command, folders, allowed = (_words(data[key]) for key in ("command", "config_dirs", "allowed_modules"))
    return Manifest(str(data["created"]), command, folders, allowed, children)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError("not a list of words")
    return tuple(value)


def taken(folder: SweepFolder) -> UsageError:
    """The refusal of a name in use."""
    if folder.exists():
        return UsageError(f"{folder.root} exists; `evonas sweep resume {folder.name}` goes on, or take another --name")
    return UsageError(f"{folder.root} exists and is no sweep; take another --name")


def new_folder(outputs: Path, name: str | None, now: datetime) -> SweepFolder:
    """The folder of a sweep that does not exist yet, by default named by date and time. Raises UsageError."""
    if name is None:
        stem = f"{now:%Y-%m-%d-%H%M%S}"
        names = (stem, *(f"{stem}-{n}" for n in range(2, 1000)))
        free = (SweepFolder(outputs / f"{_PREFIX}{one}") for one in names)
        return next(folder for folder in free if not folder.root.exists())
    if len(name) > LONGEST:
        raise UsageError(f"--name has {len(name)} characters; {LONGEST} is the most, so that folders can be called so")
    if not NAME.fullmatch(name) or name == "latest":
        raise UsageError(
            f"--name is {name!r}; use letters, digits, '.', '_' and '-', a letter or a digit first, not `latest`"
        )
    folder = SweepFolder(outputs / f"{_PREFIX}{name}")
    if folder.root.exists():
        raise taken(folder)
    return folder


def find(reference: str, outputs: Path) -> SweepFolder:
    """The sweep meant by its name, its folder's path, or `latest`. Raises RunError."""
    known = [SweepFolder(path.parent) for path in outputs.glob(f"{_PREFIX}*/sweep.json")]
    if reference == "latest":
        if not known:
            raise RunError(f"there is no sweep under {outputs}/ yet; start one with `evonas sweep`")
        return max(known, key=lambda folder: (folder.created(), folder.name))
    folder = named(reference, outputs)
    if folder is not None:
        return folder
    names = sorted(folder.name for folder in known)
    shown = ", ".join([*names[:_SHOWN], *(["..."] if len(names) > _SHOWN else [])])
    raise RunError(f"no sweep {reference!r}: neither a name nor a folder with a sweep.json (known: {shown or 'none'})")


def named(reference: str, outputs: Path) -> SweepFolder | None:
    """The sweep with this name, or in this folder or one below the outputs, if there is one."""
    places = (outputs / f"{_PREFIX}{reference}", outputs / reference, Path(reference))
    return next((folder for folder in map(SweepFolder, places) if folder.exists()), None)


def stamp() -> str:
    """The time of day in UTC that a manifest is dated with."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
