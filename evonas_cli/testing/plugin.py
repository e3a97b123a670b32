"""A plugin of pytest that puts the parts of a folder of configurations to their contracts.

    pytest -p evonas_cli.testing.plugin --pyargs evonas_cli.testing.test_parts --evonas-config-dir conf \\
        --evonas-allow my_space

Every space of the folder is put to the laws of spaces, every strategy of it to those of strategies on all spaces,
evonas' own included, that have what the strategy demands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.build import build, spaces
from evonas_cli.config.folders import conf_root, options, read
from evonas_cli.testing import spaces as of_spaces
from evonas_cli.testing import strategies as of_strategies


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder and the modules."""
    group = parser.getgroup("evonas")
    group.addoption("--evonas-config-dir", action="append", default=[], type=Path, help="folder with space/, strategy/")
    group.addoption("--evonas-allow", action="append", default=[], help="module whose code may be run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each law and part."""
    if metafunc.module.__name__ != "evonas_cli.testing.test_parts":
        return
    folders, allowed = metafunc.config.getoption("evonas_config_dir"), metafunc.config.getoption("evonas_allow")
    built = spaces(allowed, folders)
    if "space_law" in metafunc.fixturenames:
        own = [name for name, path in options("space", folders).items() if not path.is_relative_to(conf_root())]
        cases = [(law, built[name], name) for name in own for law in of_spaces.laws(built[name])]
        metafunc.parametrize(("space_law", "space"), [case[:2] for case in cases], ids=map(_id, cases))
    else:
        found = []
        for name, path in options("strategy", folders).items():
            if not path.is_relative_to(conf_root()):
                found += _of_strategy(name, path, built, allowed)
        metafunc.parametrize(("strategy_law", "strategy", "space"), [case[:3] for case in found], ids=map(_id, found))


def _of_strategy(name: str, path: Path, built: dict[str, Any], allowed: list[str]) -> list[Any]:
    found: list[Any] = []
    kinds = set()
    for label, space in built.items():
        strategy = build(read(path), "strategy", allowed, space=space)
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
