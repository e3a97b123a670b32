"""Folders of YAML files, evonas' own and those of --config-dir: their options, reading one, Hydra's search path."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from evonas_cli.config.settings import EXPERIMENT, GROUPS, nearest
from evonas_cli.core.errors import UsageError

_ENDING = ".yaml"


def conf_root() -> Path:
    """The packaged configuration, or the checkout's."""
    package = Path(__file__).parent.parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def root_file() -> Path:
    """The file of the root keys."""
    return conf_root() / f"config{_ENDING}"


def options(group: str, folders: Sequence[Path] = ()) -> dict[str, Path]:
    """The YAML files of a group by name, in alphabetical order."""
    found = {path.stem: path for root in (conf_root(), *folders) for path in (root / group).glob(f"*{_ENDING}")}
    return dict(sorted(found.items()))


def misnamed(group: str, folders: Sequence[Path]) -> dict[str, str]:
    """What is wrong with each file of a group that ends in .yml or .YAML, which Hydra does not read, by its stem."""
    found = sorted(path for root in folders for path in (root / group).glob("*.*"))
    wrong = [path for path in found if path.suffix.lower() in (".yml", _ENDING) and path.suffix != _ENDING]
    return {path.stem: f"{path} must end in {_ENDING}; rename it to {path.stem}{_ENDING}" for path in wrong}


def check_folders(folders: Sequence[Path]) -> None:
    """Raises UsageError for a folder that is none, and for a file that has the name of one of evonas' own."""
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--config-dir {folder} is no folder")
        for group in (*GROUPS, EXPERIMENT):
            taken = sorted({path.stem for path in (folder / group).glob(f"*{_ENDING}")} & set(options(group)))
            if taken:
                raise UsageError(f"{folder / group / taken[0]}{_ENDING} has the name of one of evonas' own; rename it")


def file_of(group: str, name: str, folders: Sequence[Path]) -> Path:
    """The file of an option. Raises UsageError where there is none, which names what there is."""
    known = options(group, folders)
    if name in known:
        return known[name]
    wrong = misnamed(group, folders).get(name)
    raise UsageError(wrong or f"there is no {group} {name!r}{nearest(name, known)} (known: {', '.join(known)})")


def read(path: Path) -> dict[str, Any]:
    """The settings of a YAML file by key. Raises UsageError that names the file and, where there is one, the line."""
    return copy.deepcopy((_read_own if path.is_relative_to(conf_root()) else _read)(path))


def _read(path: Path) -> dict[str, Any]:
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        text = path.read_bytes().decode("utf-8")
        top = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(top, yaml.MappingNode | None):
            kind = "a list" if isinstance(top, yaml.SequenceNode) else "a single value"
            raise UsageError(f"{path} holds {kind}; it must hold settings, written as key: value")
        node: Any = OmegaConf.to_container(OmegaConf.create(text)) if top else {}
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: this is not UTF-8; save the file as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = str(path) if mark is None else f"{path}, line {mark.line + 1}"
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        raise UsageError(f"{place}: this is no YAML ({' '.join(str(reason).split())}); correct it") from error
    except OmegaConfBaseException as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())[:200]}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return {str(key): value for key, value in node.items()}


_read_own = cache(_read)
"""The same for evonas' own files, which do not change while the program runs."""


def check_option(group: str, name: str, folders: Sequence[Path]) -> None:
    """Reads the file of an option, if it is the user's. Raises UsageError."""
    path = options(group, folders).get(name)
    if path is not None and not path.is_relative_to(conf_root()):
        read(path)


def check_all(folders: Sequence[Path]) -> None:
    """Reads every option of the folders. Raises UsageError for the first that cannot be read."""
    for group in (*GROUPS, EXPERIMENT):
        for path in options(group, folders).values():
            if not path.is_relative_to(conf_root()):
                read(path)


@contextmanager
def hydra_paths(folders: Sequence[Path]) -> Iterator[None]:
    """Hydra composes from evonas' own files, and after them from these folders.

    The folders are handed over as objects: an override `hydra.searchpath=[...]` would be read by Hydra's grammar, in
    which commas, brackets and letters such as an umlaut in a folder's name mean something else, or nothing.
    """
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_root().resolve()), version_base="1.3"):
        loader: Any = GlobalHydra.instance().config_loader()
        for folder in folders:
            loader.get_search_path().prepend("--config-dir", f"file://{folder.resolve()}", anchor="schema")
        loader.repository.initialize_sources(loader.get_search_path())
        yield
