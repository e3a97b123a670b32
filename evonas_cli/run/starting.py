"""`start_from`: the first samples of a run are given, and not drawn.

`start_from=RUN` gives the best genomes of another run, `start_from=auto` the configured settings of the trainer and
settings near them, in a space whose genes are such settings.

The strategy's space gives these genomes, one for each call of `sample` within an ask, before it draws any. So every
strategy that begins with samples from the prior takes them into its first population, and none knows of it. How many
have been given is kept beside the strategy's state. The configuration holds the genomes themselves, so that a resumed
run does not read the other one again.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from evonas_cli.config.compose import Config
from evonas_cli.core.blame import naming
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.files import expanded
from evonas_cli.core.pareto import Front
from evonas_cli.core.protocols import INNER, Figures, Keeping, Space, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Json, Objective, Proposal
from evonas_cli.genomes.capabilities import Defaulting, Linear
from evonas_cli.genomes.choices import mutate
from evonas_cli.run.stored import stored_config
from evonas_cli.store.directory import find
from evonas_cli.store.journal import Journal

OPERATOR = "start"
"""The operator of a candidate whose genome was given."""
AUTO = "auto"
CONFIGURED = "configured"
"""What stands in the place of the other run's name where the configured settings are given."""
MOST_CONFIGURED = 6
"""At most so many genomes are the configured settings and their neighbours, if `start_best` says nothing."""
STEP = 0.1
"""Standard deviation of the Gaussian step from a configured number to that of a neighbour, as a share of its range."""


def expanded_auto(config: Config, space: Space[Any], allowed: Sequence[str] = ()) -> Config:
    """The configuration with what `start_from=auto` stands for: a node with the genome of the configured settings, or
    null in a space that has no such genome. Raises UsageError for a space whose `default` or `to_json` fails."""
    if config["start_from"] != AUTO:
        return config
    node = None
    if isinstance(space, Defaulting):
        with naming(f"space {type(space).__name__}: default", allowed):
            default = space.default(config["trainer"])
            node = None if default is None else {"run": CONFIGURED, "genomes": [space.to_json(default)]}
    return {**config, "start_from": node}


def giving(space: Space[Any]) -> tuple[Space[Any], list[Any]]:
    """A copy of the space and a list: while the list holds genomes, `sample` takes its last one instead of drawing."""
    left: list[Any] = []
    cls: Any = type(space)

    def sample(self: Any, rng: Random) -> Any:
        return left.pop() if left else cls.sample(self, rng)

    names = {"sample": sample, "__slots__": (), "__module__": cls.__module__, "__doc__": cls.__doc__}
    other = copy.copy(space)
    object.__setattr__(other, "__class__", type(cls.__name__, (cls,), names))
    return other, left


class WarmStart:
    """A strategy on a space that is `giving`: what is left of `genomes` lies in `left` while the strategy is asked.

    The state is that of the strategy and the number of genomes that were given.
    """

    def __init__(self, proposer: Strategy[Any, Any], genomes: Sequence[Any], left: list[Any]) -> None:
        self.proposer, self._genomes, self._left = proposer, tuple(genomes), left
        if isinstance(proposer, Keeping):
            self.keeps = self._keeps

    @property
    def demands(self) -> Demands:
        """The strategy's."""
        return self.proposer.demands

    @property
    def least_evaluations(self) -> int:
        """The strategy's."""
        return self.proposer.least_evaluations

    def init(self, rng: Random) -> tuple[INNER, int]:
        """No genome has been given."""
        return self.proposer.init(rng), 0

    def ask(self, state: tuple[INNER, int], rng: Random) -> tuple[list[Proposal[Any]], tuple[INNER, int]]:
        """The strategy's, whose first samples are the genomes."""
        inner, given = state
        waiting = self._genomes[given:]
        self._left[:] = reversed(waiting)
        try:
            proposals, inner = self.proposer.ask(inner, rng)
            taken = len(waiting) - len(self._left)
        finally:
            self._left.clear()
        own = {id(genome) for genome in waiting[:taken]}
        named = [replace(one, operator=OPERATOR) if id(one.genome) in own else one for one in proposals]
        return named, (inner, given + taken)

    def tell(self, state: tuple[INNER, int], told: Sequence[Evaluation[Any]], rng: Random) -> tuple[INNER, int]:
        """The strategy's."""
        return self.proposer.tell(state[0], told, rng), state[1]

    def population(self, state: tuple[INNER, int]) -> tuple[int, ...]:
        """The strategy's."""
        return self.proposer.population(state[0])

    def figures(self, state: tuple[INNER, int]) -> Mapping[str, Json]:
        """The strategy's, and how many of its samples were given."""
        own = self.proposer.figures(state[0]) if isinstance(self.proposer, Figures) else {}
        return {**own, "started_from": state[1]}

    def _keeps(self, state: tuple[INNER, int]) -> Container[int]:
        strategy: Any = self.proposer
        kept: Container[int] = strategy.keeps(state[0])
        return kept


def started(
    config: Config, space: Space[Any], strategy: Strategy[Any, Any], objectives: Sequence[Objective], left: list[Any]
) -> tuple[Config, WarmStart]:
    """The configuration whose `start_from` holds the genomes in the place of the run that has them, and the strategy
    that begins with these.

    Raises UsageError as `best_of`, for genomes that are none of the space, and for a strategy that begins without
    samples.
    """
    count = config["start_best"]
    if isinstance(config["start_from"], str):
        count = strategy.least_evaluations if count is None else count
        config = {**config, "start_from": best_of(config, space, objectives, count)}
    reference = config["start_from"]["run"]
    found = _warm(strategy, space, left, config)
    if not _takes(found, config["seed"]):
        raise UsageError(
            f"start_from={reference}: the strategy {type(strategy).__name__} does not begin with samples of its "
            "space, so there is nothing to take the place of; use one that does, such as regularized_evolution"
        )
    return config, found


def started_by_default(
    config: Config, space: Space[Any], strategy: Strategy[Any, Any], left: list[Any]
) -> tuple[Config, WarmStart | None]:
    """As `started`, for the node of `expanded_auto`: the configured settings, then neighbours of them, `start_best` in
    all (null: half of the first population, at least 1 and at most MOST_CONFIGURED).

    In a neighbour each number is a step away (STEP), and each option another one; a space without independent genes has
    none. The node is null for a strategy that begins without samples.
    """
    if not _takes(_warm(strategy, space, left, config), config["seed"]):
        return {**config, "start_from": None}, None
    count, node = config["start_best"], config["start_from"]
    count = max(1, min(MOST_CONFIGURED, strategy.least_evaluations // 2)) if count is None else count
    default = space.from_json(node["genomes"][0])
    genomes, rng = [default], stream(config["seed"], "start")
    if isinstance(space, Linear):
        genomes += [mutate(space.choices, default, 1.0, STEP, rng) for _ in range(count - 1)]
    written = list(dict.fromkeys(json.dumps(space.to_json(genome)) for genome in genomes))
    config = {**config, "start_from": {**node, "genomes": [json.loads(text) for text in written]}}
    return config, _warm(strategy, space, left, config)


def _warm(strategy: Strategy[Any, Any], space: Space[Any], left: list[Any], config: Config) -> WarmStart:
    node = config["start_from"]
    genomes = [_parsed(space, written, node["run"]) for written in node["genomes"]]
    named: Any = type(type(strategy).__name__, (WarmStart,), {})  # messages name the strategy
    found: WarmStart = named(strategy, genomes, left)
    return found


def _takes(strategy: WarmStart, seed: int) -> bool:
    """Whether the strategy draws samples when it begins."""
    _, (_, given) = strategy.ask(strategy.init(stream(seed, "check-init")), stream(seed, "check-ask"))
    return given > 0


def best_of(config: Config, space: Space[Any], objectives: Sequence[Objective], count: int) -> dict[str, Any]:
    """The node that stands for `start_from=RUN`: the run, and its `count` best genomes, each once.

    Candidates trained in full are ranked by the objectives of the new run: by Pareto front, in it by the first
    objective, then by id. Raises UsageError for what is no run, for a run on another space, and for one without such
    candidates.
    """
    reference, outputs = str(config["start_from"]), expanded(config["run"]["outputs"], "run.outputs")
    try:
        run = find(str(expanded(reference, "start_from")) if reference.startswith("~") else reference, outputs)
        source = stored_config(run)
        entries = {entry["id"]: entry for entry in Journal(run.journal, write=False)}
    except RunError as error:
        raise UsageError(f"start_from: {error}") from error
    theirs, ours = source["space"]["_target_"], config["space"]["_target_"]
    if theirs != ours:
        names = [str(target).rpartition(".")[2] for target in (theirs, ours)]
        raise UsageError(f"start_from={reference} is a run on the space {names[0]}, not {names[1]}; use its own space")
    full = {id: entry for id, entry in entries.items() if _is_full(entry)}
    points = {id: tuple(_losses(entry, objectives, reference)) for id, entry in full.items()}
    genomes: dict[str, Json] = {}
    for id in _best_first(points):
        _parsed(space, full[id]["genome"], reference)
        genomes.setdefault(json.dumps(full[id]["genome"], sort_keys=True), full[id]["genome"])
    if not genomes:
        raise UsageError(f"start_from={reference}: no candidate of that run succeeded with a full training")
    return {"run": Path(reference).name, "genomes": list(genomes.values())[:count]}


def _is_full(entry: Mapping[str, Any]) -> bool:
    whole = entry["status"] == "ok" and not entry.get("job") and entry.get("fidelity", 1.0) == 1.0
    return whole and entry["genome"] is not None


def _losses(entry: Mapping[str, Any], objectives: Sequence[Objective], reference: str) -> Iterator[float]:
    for objective in objectives:
        if objective.name not in entry["metrics"]:
            known = ", ".join(sorted(entry["metrics"]))
            raise UsageError(f"start_from={reference}: that run has not measured {objective.name} (it has: {known})")
        yield objective.loss(entry["metrics"])


def _best_first(points: Mapping[int, Sequence[float]]) -> Iterator[int]:
    left = dict(points)
    while left:
        front = Front()
        for id, losses in left.items():
            front.add(id, losses)
        for id, _ in front.members:
            del left[id]
            yield id


def _parsed(space: Space[Any], written: Json, reference: str) -> Any:
    try:
        return space.from_json(written)
    except Exception as error:  # what a space raises for JSON of another shape is its own affair
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UsageError(
            f"start_from={reference}: {json.dumps(written)[:80]} is no genome of {type(space).__name__} with these "
            f"settings: {reason}"
        ) from error
