"""Settings that a method cannot work with: each is one line that names the key, and exit code 2, before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

QL, IRLAS = ("strategy=q_learning",), ("strategy=irlas",)
GA, REA, RL, PPO = (
    ("strategy=genetic",),
    ("strategy=regularized_evolution",),
    ("strategy=reinforce",),
    ("strategy=ppo",),
)
MAZE = ("space=maze", "job=landscape", *GA)
CODE = ("space=codeepneat", "strategy=codeepneat")
DEEP = ("space=codeepneat", "strategy=deepneat")
HYPER = ("space=hyperparameters", "strategy=random")
CHAIN = ("space=chain_cnn", "strategy=random")
CELL = ("job=language", "space=rnn_cell", "strategy=random")
TREES = ("strategy=genetic_programming",)
LISTED = ("job=language", "space=gp_cell", "strategy=listed")
CURVES = ("strategy=extrapolation", "trainer.save_state=true")
SCHEDULE = ("space=hyperparameters", *GA, "strategy.archive=false", "strategy.inherit=schedule",
            "trainer.save_state=true", "window=1")  # fmt: skip

REFUSALS = [
    # populations, tournaments, probabilities, elitism
    ((*GA, "strategy.population_size=1"), "strategy.population_size must be a whole number of at least 2"),
    ((*GA, "strategy.tournament_size=0"), "strategy.tournament_size must be a whole number of at least 1"),
    ((*GA, "strategy.tournament_size=21", "strategy.replacement=false"), "exceeds population_size=20 without replac"),
    ((*REA, "strategy.sample_size=11", "strategy.replacement=false"), "strategy.sample_size must be 1 to 10"),
    # first points, distances and paths of models
    (("strategy=bayesian", "strategy.initial=1"), "strategy.initial must be a whole number of at least 2; it is 1"),
    (("strategy=bananas", "strategy.initial=1"), "strategy.initial must be a whole number of at least 2; it is 1"),
    (
        ("strategy=bayesian", "budget.evaluations=9"),
        "budget.evaluations=9 is smaller than the 10 evaluations of the fi",
    ),
    (
        ("strategy=bayesian", "space=sequences", "job=landscape"),
        "that is Measured, which Sequences is not; spaces that",
    ),
    (
        ("strategy=bayesian", "space=chain_cnn", "strategy.kernel=hamming"),
        "that is Linear, which ChainCnn is not; spac",
    ),
    (
        ("strategy=bayesian", "space=hyperparameters", "strategy.kernel=paths"),
        "all have the same paths, which thus tel",
    ),
    (("strategy=nasbot", "space=hyperparameters"), "the networks of Hyperparameters are all alike in their layers"),
    (("strategy=nasbot", "strategy.kernel=transport"), "strategy.kernel must be one of auto, hamming"),
    ((*GA, "strategy.mutation_probability=1.5"), "strategy.mutation_probability must be a number in [0, 1]"),
    ((*GA, "strategy.death_rate=1.0"), "strategy.death_rate must be a number in [0, 1)"),
    ((*GA, "strategy.elitism=20"), "strategy.elitism must be 0 to 19"),
    ((*GA, "strategy.lifespan=0"), "strategy.lifespan must be a whole number of at least 1"),
    ((*GA, "strategy.parents=21"), "strategy.parents=21 exceeds population_size=20"),
    ((*GA, "strategy.scaling=none"), "strategy.scaling must be one of window, softmax, sigma"),
    ((*GA, "strategy.generations=0"), "strategy.generations must be a whole number of at least 1"),
    (
        (*GA, "budget.evaluations=19"),
        "budget.evaluations=19 is smaller than the 20 evaluations of the first population",
    ),
    ((*REA, "budget.evaluations=9"), "budget.evaluations=9 is smaller than the 10 evaluations of the first population"),
    # niching
    ((*GA, "strategy.diversity=sharing", "strategy.sharing_radius=0"), "strategy.sharing_radius must be a number in"),
    ((*GA, "strategy.diversity=crowding", "strategy.crowding_window=0"), "strategy.crowding_window must be"),
    # screening, growth, scores of untrained networks
    (("strategy=screened", "strategy.start=9"), "strategy.start=9 is too early: a model needs 10 evaluations"),
    (("strategy=screened", "strategy.proposer=halving"), "SuccessiveHalving itself decides how candidates are trained"),
    (("strategy=screened", "strategy.model=forest"), "strategy.model must be one of ridge, mlp; it is 'forest'"),
    (
        ("strategy=progressive", "space=chain_cnn"),
        "that is Growable, which ChainCnn is not; spaces that are: nasbench20",
    ),
    (
        ("strategy=progressive", "space.operations=[skip_connect,nor_conv_3x3]"),
        "begins with edges of the operation none; add it to space.operations",
    ),
    (("job=zero_cost", "job.score=synflo"), "job.score is 'synflo'; did you mean synflow? (it may be parameters,"),
    (("job=zero_cost", "space=bits", "strategy=random"), "needs a space that is Buildable, which Bits is not"),
    # selection pressures
    ((*MAZE, "strategy.pressure=boredom"), "strategy.pressure must be one of fitness, novelty, surprise, curiosity"),
    (
        (*MAZE, "strategy.pressure=novelty"),
        "strategy Genetic chooses by behaviour, and the job Landscape describes none",
    ),
    ((*MAZE, "job.descriptor=place"), "job.descriptor must be behaviour or genome or null; it is 'place'"),
    (
        ("space=bits", "job=landscape", *GA, "job.descriptor=behaviour"),
        "job Landscape needs a space that is Behaving, which Bits is not",
    ),
    ((*GA, "job.descriptor=genome"), "job.descriptor must be size or null; it is 'genome'"),
    ((*MAZE, "job.descriptor=behaviour", "strategy.rho=1.5"), "strategy.rho must be a number in [0, 1]; it is 1.5"),
    (
        (*MAZE, "strategy.pressure=novelty", "strategy.novelty_neighbours=30", "strategy.novelty_capacity=10"),
        "strategy.novelty_neighbours=30 exceeds the 19 others of a population and novelty_capacity=10",
    ),
    (
        (*MAZE, "strategy.pressure=surprise", "strategy.diversity=sharing"),
        "strategy.pressure=surprise does not go with",
    ),
    (
        ("strategy=deepneat", "dataset=digits", "strategy.pressure=novelty"),
        "strategy DeepNeat chooses by behaviour, and the job Train describes none; set job.descriptor",
    ),
    (
        ("strategy=hill_climbing", "space=layered_cnn", "dataset=digits", "strategy.pressure=surprise"),
        "strategy.surprise_clusters=10 exceeds the 9 networks of a step",
    ),
    (("strategy=lemonade", "space=layered_cnn", "dataset=digits", "strategy.rho=0.5"), "strategy has no key rho"),
    ((*MAZE, "space.moves=4"), "space.moves must be at least 5, the moves of the shortest way to the goal; it is 4"),
    # inherited weights
    ((*HYPER[:1], *GA, "strategy.inherit=weights"), "strategy.archive=true does not go with remeasure=true or inherit"),
    ((*HYPER[:1], *GA, "strategy.archive=false", "strategy.inherit=weights"), "set trainer.save_state=true"),
    (
        (*HYPER[:1], *GA, "strategy.archive=false", "strategy.inherit=schedule", "trainer.save_state=true"),
        "strategy.inherit=schedule needs strategy.generations",
    ),
    (
        (*HYPER[:1], *GA, "strategy.archive=false", "strategy.inherit=weights", "trainer.save_state=true", "window=2"),
        "set window=1",
    ),
    (
        (*SCHEDULE, "strategy.generations=6", "trainer.epochs=5"),
        "6 stages, of which some would train nothing: there are 5 epochs; set trainer.epochs to at least 6",
    ),
    ((*GA, "strategy.archive=false", "strategy.inherit=weights"), "set trainer.save_state=true so that they are kept"),
    ((*PPO, "strategy.clip=inf"), "strategy.clip is inf; settings are finite numbers"),
    # successive halving
    (
        ("strategy=halving", "strategy.candidates=7"),
        "strategy.candidates=7 leaves no candidate for the last of 4 rungs",
    ),
    (
        ("strategy=halving", "strategy.rungs=[[4,2],[8,4]]"),
        "strategy.rungs must go on to more epochs and never to more",
    ),
    (("strategy=halving", "strategy.rungs=[4,2]"), "strategy.rungs[0] is 4; it must be a list"),
    (("strategy=halving", "strategy.continues=true", "trainer.save_state=false"), "set trainer.save_state=true"),
    (("strategy=halving", "budget.evaluations=29"), "is smaller than the 30 evaluations of the first population"),
    (
        ("strategy=halving", "strategy.continues=true", "job=table", "job.path=t.csv"),
        "use job=train, or settings of the strategy that hand on none",
    ),
    (("job=table", "job.path=t.csv", "job.fidelities={0.5: {rewards: a}}"), "job.fidelities.0.5 names rewards"),
    # proposals of another strategy, and curves
    (("strategy=hyperband", "strategy.proposer=halving"), "strategy.proposer SuccessiveHalving itself decides"),
    (("strategy=hyperband", "strategy.proposer=rand"), "strategy.proposer: there is no strategy 'rand'"),
    (("strategy=hyperband", "strategy.proposer=q", "space=bits", "job=landscape"), "strategy.proposer: there is no"),
    (("strategy=hyperband", "space=bits", "job=landscape"), "which the job Landscape does not honour"),
    ((*CURVES, "trainer.epochs=12"), "needs 4 measured epochs; the first of its stages has 3: raise trainer.epochs"),
    ((*CURVES, "trainer.epochs=16", "trainer.validate_every=2"), "or set trainer.validate_every=1"),
    ((*CURVES, "objectives=[valid_loss]", "trainer.epochs=16"), "set strategy.metric to the first objective"),
    # grids and neighbourhoods
    (("space=hyperparameters", "strategy=grid"), "cannot list the values of learning_rate, momentum, weight_decay"),
    (("strategy=grid", "strategy.limit=15624"), "the grid has 15,625 points, more than strategy.limit=15,624"),
    (("strategy=local_search", "strategy.acceptance=best"), "strategy.acceptance"),
    (("space=hyperparameters", "strategy=local_search"), "cannot list the neighbours along learning_rate"),
    # policy gradients
    ((*RL, "strategy.baseline_decay=1.0"), "strategy.baseline_decay must be a number in [0, 1)"),
    ((*RL, "strategy.reward_power=0"), "strategy.reward_power"),
    ((*RL, "strategy.children=0"), "strategy.children must be a whole number of at least 1"),
    ((*RL, "strategy.reward=reciprocal_square"), "strategy.reward"),
    ((*RL, "strategy.initial_depth=2"), "strategy.initial_depth needs a space of growing depth"),
    ((*RL, "space=chain_cnn", "strategy.initial_depth=7"), "strategy.initial_depth must be 1 to 6"),
    ((*RL, "objectives=[valid_loss]"), "reward"),
    ((*PPO, "strategy.clip=0"), "strategy.clip"),
    ((*PPO, "strategy.epochs=0"), "strategy.epochs"),
    # Q-learning
    ((*QL, "strategy.discount=1.5"), "strategy.discount must be a number in (0, 1]; it is 1.5"),
    ((*QL, "strategy.epsilons=[[1.0,70]]"), "budget.evaluations=60 is smaller than the 70 evaluations of the first"),
    ((*QL, "strategy.epsilons=[]"), "strategy.epsilons=() must be a list of stages"),
    ((*QL, "strategy.epsilons=[[1.0,50],[1.1,5]]"), "strategy.epsilons=[1.1, 5.0] must have pairs of an epsilon in"),
    (
        (*QL, "strategy.epsilons=[[1.0,2.5]]"),
        "strategy.epsilons=[1.0, 2.5] must have pairs of an epsilon in [0, 1] and",
    ),
    ((*QL, "strategy.failure_reward=-1"), "strategy.failure_reward must be a number in [0, inf] or null; it is -1"),
    ((*QL, "objectives=[valid_loss]"), "strategy.reward=error does not fit the first objective, valid_loss"),
    (
        (*QL, "space=codeepneat"),
        "strategy QLearning needs a space that is Walkable, which Assemblies is not; spaces that are: backbone, bits",
    ),
    # imitation
    ((*IRLAS, "strategy.expert=dense"), "strategy.expert=dense cannot be expressed by the space, which has no concat"),
    ((*IRLAS, "strategy.expert=vgg"), "vgg not found; give strategy.expert a file, or one of plain, residual, dense"),
    ((*IRLAS, "strategy.inputs=[16]"), "strategy.expert=plain on strategy.inputs: the pattern plain needs"),
    ((*IRLAS, "strategy.inputs=[3,0,8]"), "strategy.inputs=[3, 0, 8] must be one to three whole numbers above 0"),
    ((*IRLAS, "strategy.mirror_weight=-1"), "strategy.mirror_weight must be a number in [0, inf]; it is -1"),
    # co-evolution
    ((*CODE, "strategy.module_species=10"), "is more species than strategy.module_population=9"),
    ((*CODE, "strategy.assemblies=5"), "set strategy.allow_unassembled=true"),
    ((*CODE, "strategy.add_node_probability=-0.1"), "strategy.add_node_probability must be a number in [0, 1]"),
    ((*CODE, "strategy.elitism=6"), "strategy.elitism"),
    ((*CODE, "space.projection=false"), "space.merge has sum, which needs space.projection=true"),
    ((*CODE, "space.filters=[8,4]"), "space.filters"),
    ((*CODE, "space.learning_rate=[0,0.1]"), "space.learning_rate"),
    ((*CODE, "space.kernels=[]"), "space.kernels"),
    ((*DEEP, "strategy.species=13"), "strategy.species"),
    (
        ("space=nasnet", *CODE[1:]),
        "strategy CoDeepNeat needs a space that is Modular, which NasNet is not; spaces that",
    ),
    # spaces
    ((*CHAIN, "space.layers=0"), "space.layers"),
    ((*CHAIN, "space.filters=[]"), "space.filters"),
    ((*CHAIN, "space.filters=[8,8]"), "space.filters"),
    ((*CELL, "space.leaves=3"), "space.leaves"),
    ((*CELL, "space.combiners=[]"), "space.combiners"),
    ((*CELL, "job.layers=0"), "job.layers is 0; it must be an integer of at least 1"),
    (
        (*TREES, "space.depth=5"),
        "start has lstm, which does not fit: the tree's depth is 6; space.depth=5 is the limit",
    ),
    ((*TREES, "strategy.population_size=1"), "strategy.population_size must be a whole number of at least 2; it is 1"),
    ((*LISTED, "strategy.genomes=['linear_tanh(x)']"), "h has no path to the root, so that the node is not recurrent"),
    ((*LISTED, "strategy.genomes=['linear_tanh(x, h)']", "space.depth=0"), "space.depth is 0"),
    (
        (*LISTED, "strategy.genomes=['tanh(tanh(linear(x, h)))']", "space.depth=2", "space.start=[simple]"),
        "the tree's depth is 3; space.depth=2 is the limit",
    ),
    (("space=nasbench201", "space.operations=[]"), "space.operations must be two or more different ones"),
    (("space=nasnet", "space.normal_cells=0"), "space.normal_cells must be at least 1"),
    (("space=nasnet", "space.identity_probability=2"), "space.identity_probability must be in [0, 1]"),
    # tasks that do not fit
    (
        ("job=language", "strategy=random", "space=nasbench201"),
        "needs a space that is Recurrent, which NasBench201 is not; spaces that are: gp_cell, rnn_cell",
    ),
    ((*CELL, "dataset=digits"), "dataset="),
    ((*CELL, "job.learning_rate=0.1"), "job has no key learning_rate; did you mean trainer.learning_rate?"),
    ((*CELL, "trainer.graph=true"), "trainer.graph=true means nothing to job=language; set trainer.graph=false"),
    (
        ("space=rnn_cell", "job=language", "strategy=halving", "strategy.continues=true", "trainer.save_state=false"),
        "set trainer.save_state=true",
    ),
    (("dataset=copy",), "dataset="),
]


@pytest.mark.parametrize(("words", "expected"), REFUSALS, ids=[" ".join(row[0])[-60:] for row in REFUSALS])
def test_it_is_refused_in_one_line(refused: Callable[..., str], words: tuple[str, ...], expected: str) -> None:
    assert expected in refused(2, "search", *words)
    assert not any(Path().iterdir())


def test_a_stage_for_each_epoch_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["search", *SCHEDULE, "strategy.generations=5", "trainer.epochs=5", "--dry-run"]) == 0
