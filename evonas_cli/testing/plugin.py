"""A plugin of pytest that puts the parts of a folder of configurations to their contracts.

    pytest -p evonas_cli.testing.plugin --pyargs evonas_cli.testing.test_parts --evonas-config-dir conf \\
        --evonas-allow my_space

Every space of the folder is put to the laws of spaces, every strategy of it to those of strategies on all spaces,
evonas' own included, that have what the strategy demands; every evaluator to those of evaluators. A job is put to the
laws of jobs under the settings that a search with `job=NAME` has, and those given by `--evonas-set`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.build import build, spaces
from evonas_cli.config.compose import compose
from evonas_cli.config.folders import conf_root, options, read
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.testing import evaluators as of_evaluators
from evonas_cli.testing import jobs as of_jobs
from evonas_cli.testing import spaces as of_spaces
from evonas_cli.testing import strategies as of_strategies

_NAMES = {
    "space": ("space_law", "space"),
    "strategy": ("strategy_law", "strategy", "space"),
    "job": ("job_law", "parts"),
    "evaluator": ("evaluator_law", "make"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder and the modules."""
    group = parser.getgroup("evonas")
    group.addoption("--evonas-config-dir", action="append", default=[], type=Path, help="folder with space/, job/, ...")
    group.addoption("--evonas-allow", action="append", default=[], help="module whose code may be run")
    group.addoption("--evonas-set", action="append", default=[], help="setting under which jobs run: space=my_space")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each law and part."""
    if metafunc.module.__name__ != "evonas_cli.testing.test_parts":
        return
    given = metafunc.config.getoption
    folders, allowed, words = given("evonas_config_dir"), given("evonas_allow"), given("evonas_set")
    group = metafunc.function.__name__.removeprefix("test_")
    own = {name: path for name, path in options(group, folders).items() if not path.is_relative_to(conf_root())}
    built = spaces(allowed, folders) if group == "strategy" else {}
    found: list[Any] = []
    for name, path in own.items():
        if group == "space":
            space = build(_node(path), "space", allowed)
            found += [(law, space, name) for law in of_spaces.laws(space)]
        elif group == "strategy":
            found += _of_strategy(name, path, built, allowed)
        elif group == "job":
            found += [(law, partial(_parts, name, words, folders, allowed), name) for law in of_jobs.LAWS]
        else:
            node = partial(build, _node(path), "evaluator", allowed, device="cpu")
            found += [(law, node, name) for law in of_evaluators.LAWS]
    metafunc.parametrize(_NAMES[group], [case[:-1] for case in found], ids=map(_id, found))


def _node(path: Path) -> dict[str, Any]:
    """The settings of a part, without the options of other groups that come with it."""
    return {key: value for key, value in read(path).items() if key != "defaults"}


def _parts(name: str, words: Sequence[str], folders: Sequence[Path], allowed: Sequence[str]) -> Parts:
    return assemble(compose([f"job={name}", *words], folders).config, allowed, folders)


def _of_strategy(name: str, path: Path, built: dict[str, Any], allowed: list[str]) -> list[Any]:
    found: list[Any] = []
    kinds = set()
    for label, space in built.items():
        strategy = build(_node(path), "strategy", allowed, space=space)
        if not of_strategies.serves(strategy, space):
            continue
        laws: list[Callable[..., None]] = [*of_strategies.LAWS]
        if of_strategies.kind_of(space) not in kinds:
            kinds.add(of_strategies.kind_of(space))
            laws += of_strategies.LAWS_ON_DISK
        found += [(law, strategy, space, f"{name}-{label}") for law in laws]
    return found


def _id(case: tuple[Any, ...]) -> str:
    return f"{case[0].__name__}-{case[-1]}"
