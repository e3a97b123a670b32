"""What the genetic algorithm refuses, in one line that names the key."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from generational import SPACE, genetic, observe, run
from omegaconf import OmegaConf

from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.config.folders import options
from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Objective
from evonas_cli.evolution.selection import SCALINGS
from evonas_cli.genomes.choices import Choice, Genes, sample
from evonas_cli.run.assembly import assemble
from evonas_cli.strategies.genetic import CHECKS, Genetic

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("population_size", 1),
        ("population_size", True),
        ("generations", 0),
        ("stagnation", 0),
        ("target", NAN),
        ("target", -INF),
        ("target", "0.1"),
        ("selection", "lottery"),
        ("tournament_size", 0),
        ("replacement", 1),
        ("truncation_fraction", 0.0),
        ("truncation_fraction", 1.5),
        ("ranking_pressure", 1),
        ("ranking_pressure", 2.1),
        ("scaling", "none"),
        ("elitism", -1),
        ("elitism", 20),
        ("remeasure", "yes"),
        ("lifespan", 0),
        ("lifespan", 1.5),
        ("priority", "age"),
        ("death_rate", -0.1),
        ("death_rate", 1),
        ("parents", 1),
        ("parents", 2.0),
        ("crossover", "three_point"),
        ("crossover_probability", -0.1),
        ("crossover_probability", "0.5"),
        ("mutation", "swap"),
        ("mutation_scale", 0.0),
        ("mutation_scale", INF),
        ("mutation_probability", 1.1),
        ("mutation_probability", NAN),
        ("archive", None),
        ("diversity", "novelty"),
        ("sharing_radius", 0),
        ("sharing_radius", -0.5),
        ("sharing_exponent", 0.0),
        ("crowding_window", 0),
        ("inherit", "all"),
        ("exploit_fraction", 0.0),
        ("exploit_fraction", 0.6),
        ("pressure", "boredom"),
        ("rho", 1.1),
        ("rho", "half"),
    ],
)
def test_bad_settings_are_refused(key: str, value: object) -> None:
    with pytest.raises(UsageError, match=rf"^strategy\.{key} must be [^\n]*; it is {value!r}$"):
        genetic(**{key: value})


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"parents": 21}, "strategy.parents=21 exceeds population_size=20"),
        (
            {"tournament_size": 21, "replacement": False},
            "strategy.tournament_size=21 exceeds population_size=20 without replacement",
        ),
        ({"archive": True, "remeasure": True}, "strategy.archive=true does not go with remeasure=true or inherit"),
        ({"archive": True, "inherit": "weights"}, "strategy.archive=true does not go with remeasure=true or inherit"),
        (
            {"diversity": "crowding", "remeasure": True},
            "strategy.diversity=crowding does not go with remeasure=true or inherit",
        ),
        (
            {"diversity": "probabilistic_crowding", "inherit": "weights"},
            "strategy.diversity=probabilistic_crowding does not go with remeasure=true or inherit",
        ),
        ({"inherit": "schedule"}, "strategy.inherit=schedule needs strategy.generations"),
        (
            {"inherit": "schedule", "generations": 4, "lifespan": 2},
            "strategy.lifespan=2 does not go with inherit=schedule",
        ),
        (
            {"inherit": "schedule", "generations": 4, "death_rate": 0.1},
            "strategy.death_rate=0.1 does not go with inherit=schedule",
        ),
        (
            {"inherit": "schedule", "generations": 4, "diversity": "sharing"},
            "strategy.diversity=sharing does not go with inherit=schedule",
        ),
        (
            {"inherit": "schedule", "generations": 4, "pressure": "novelty", "archive": False},
            "strategy.pressure=novelty does not go with inherit=schedule",
        ),
        ({"pressure": "surprise", "diversity": "crowding"}, "strategy.pressure=surprise does not go with niching"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as refused:
        genetic(**settings)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_a_tournament_without_replacement_may_take_everybody_and_only_tournaments_are_bound() -> None:
    steps, _ = run(genetic(tournament_size=20, replacement=False), 3, lambda id, genome: float(id))
    assert {parent for p in steps[1] for parent in p.parents[:1]} == {0}
    genetic(tournament_size=21, replacement=False, selection="ranking")


class Unmeasured:
    """Linear, and nothing else."""

    choices = (Choice("a", (0, 1)),)

    def sample(self, rng: Random) -> Genes:
        return sample(self.choices, rng)


@pytest.mark.parametrize("diversity", ["sharing", "crowding", "probabilistic_crowding"])
def test_niching_needs_a_distance(diversity: str) -> None:
    line = rf"^strategy\.diversity={diversity} needs a space that is Measured; Unmeasured has no distance$"
    with pytest.raises(UsageError, match=line):
        genetic(space=Unmeasured(), diversity=diversity)
    assert genetic(space=Unmeasured()).population_size == 20


@pytest.mark.parametrize("inherit", ["weights", "schedule"])
def test_inherited_weights_refuse_a_window(inherit: str) -> None:
    strategy = genetic(inherit=inherit, generations=4)
    with pytest.raises(UsageError, match=rf"^strategy\.inherit={inherit} needs window=1"):
        run(strategy, 4, observe(0, 0.0), window=2)


def test_a_budget_below_generation_0_is_refused() -> None:
    with pytest.raises(UsageError, match=r"budget\.evaluations=19 .* 20 evaluations of the first population"):
        Fold(genetic(), (Objective("e", "min"),), 0, 1, Budget(evaluations=19))


def test_the_configuration_shows_the_defaults_of_the_class_and_every_key_is_checked() -> None:
    node: Any = OmegaConf.to_container(OmegaConf.load(options("strategy")["genetic"]))
    assert build(node, "strategy", space=SPACE) == Genetic(space=SPACE)
    assert {"_target_", *CHECKS} == set(node)


def test_refusals_reach_the_command_line() -> None:
    config = compose(["space=bits", "job=landscape", "strategy=genetic", "strategy.parents=99"]).config
    with pytest.raises(UsageError, match=r"^strategy\.parents=99 exceeds population_size=20$"):
        assemble(config)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_limits_are_allowed(scaling: str) -> None:
    genetic(
        population_size=2, elitism=1, lifespan=1, ranking_pressure=2, truncation_fraction=1, tournament_size=9,
        crossover_probability=0, mutation_probability=1, scaling=scaling, parents=2, death_rate=0, target=-3,
        generations=1, stagnation=1, exploit_fraction=0.5, crowding_window=1, sharing_radius=5,
    )  # fmt: skip
