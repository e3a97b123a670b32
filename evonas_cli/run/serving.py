"""Which strategies serve which spaces, and what to say where the chosen ones do not fit together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas_cli.config.build import build, target
from evonas_cli.config.build import spaces as configured_spaces
from evonas_cli.config.folders import conf_root, file_of, options, read, root_file
from evonas_cli.config.meanings import leaf
from evonas_cli.core.blame import naming
from evonas_cli.core.capability import lack
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Selective


def trusted(group: str, allowed: Sequence[str], folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The options of a group by name, as nodes; of the user's own those that can be read and may be imported."""
    found = {}
    for name, path in options(group, folders).items():
        try:
            node = read(path)
            target(node, group, allowed)
        except UsageError:
            if path.is_relative_to(conf_root()):
                raise
            continue  # another file of the user's than the one chosen is no reason to stop
        found[name] = {key: value for key, value in node.items() if key != "defaults"}
    return found


def obstacle(node: Mapping[str, Any], space: Any, allowed: Sequence[str] = ()) -> str | None:
    """Why a strategy's node does not serve a space, as one clause; None: it does.

    What a run does at its start is done here: the strategy is built, its demands are compared with the space, and a
    `Selective` strategy looks at it.
    """
    try:
        with quiet():
            strategy = build(node, "strategy", allowed, space=space)
            demands = getattr(strategy, "demands", None)
            if not isinstance(demands, Demands):
                return "the strategy has no demands"
            lacking = next((why for need in demands.space if (why := lack(space, need)) is not None), None)
            if lacking is None and isinstance(strategy, Selective):
                with naming(f"strategy {type(strategy).__name__}: check_space", allowed):
                    strategy.check_space()
    except UsageError as error:
        return str(error)
    return lacking


def serving(
    folders: Sequence[Path] = (), allowed: Sequence[str] = (), strategy: str | None = None, space: str | None = None
) -> dict[str, dict[str, str | None]]:
    """For each strategy and each space, with their defaults, the `obstacle`; of the user's own those that
    may be imported. With the name of one of them, for that one alone. A space that cannot be built is in the way of
    all strategies."""
    built: dict[str, Any] = {}
    for name, node in trusted("space", allowed, folders).items():
        if space not in (None, name):
            continue
        try:
            built[name] = build(node, "space", allowed)
        except UsageError as error:
            built[name] = error
    return {
        name: {
            other: str(made) if isinstance(made, UsageError) else obstacle(node, made, allowed)
            for other, made in built.items()
        }
        for name, node in trusted("strategy", allowed, folders).items()
        if strategy in (None, name)
    }


def remedy(
    group: str,
    node: Mapping[str, Any],
    needs: Sequence[type],
    space: Any,
    allowed: Sequence[str],
    folders: Sequence[Path],
) -> str:
    """What would fit, as "spaces that are: ...", where an option of a group has needs that a space does not meet.

    Where the space is not the default one, but the option is, the space was meant, so the options that serve it are
    named instead: "strategies that serve chain_cnn: ...".
    """
    plural = {"strategy": "strategies", "job": "jobs"}.get(group)
    chosen = f"{type(space).__module__}.{type(space).__qualname__}"
    if plural is None or chosen == _default("space") or node["_target_"] != _default(group):
        able = [name for name, other in configured_spaces(allowed, folders).items() if _meets(other, needs)]
        return f"spaces that are: {', '.join(able) or 'none'}"
    names = [name for name, other in trusted("space", allowed, folders).items() if other["_target_"] == chosen]
    called = names[0] if len(names) == 1 else type(space).__name__
    others = trusted(group, allowed, folders).items()
    able = [name for name, other in others if _serves(group, other, space, allowed)]
    return f"{plural} that serve {called}: {', '.join(able) or 'none'}"


def _serves(group: str, node: Mapping[str, Any], space: Any, allowed: Sequence[str]) -> bool:
    if group == "strategy":
        return obstacle(node, space, allowed) is None
    needs = getattr(target(node, group, allowed), "needs", None)
    return isinstance(needs, tuple) and _meets(space, needs)


def _meets(space: Any, needs: Sequence[type]) -> bool:
    return all(isinstance(space, need) for need in needs)


def _default(group: str) -> Any:
    """The class that the group's default option names."""
    return read(file_of(group, str(leaf(root_file()).chooses[group]), ())).get("_target_")


@contextmanager
def quiet() -> Iterator[None]:
    """Within it strategies print no warnings: they are built to read their demands, or many times."""
    log = logging.getLogger("evonas_cli.strategies")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
