"""CoDeepNEAT's networks on series, texts and vectors: what nodes become, padding, and which list a run takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.assembly import Assembly
from evonas_cli.genomes.marked_graph import LinkGene, NodeGene, marked_graph, minimal
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.run.assembly import assemble, resolved
from evonas_cli.spaces.codeepneat import Assemblies

SERIES, TEXTS = Task((3, 20), 5), Task((20,), 2, vocabulary=50)
VECTORS, IMAGES = Task((8,), 3), Task((1, 8, 8), 10)
SEQUENCES = Assemblies(filters=(4, 16), initial_nodes=3, layers="sequences")
FLAT = Assemblies(filters=(4, 16), initial_nodes=3, layers="vectors")
GLOBAL = ("concat", 0.9, False, 0.01)


def alone(space: Assemblies, *module: Any, genes: tuple[Any, ...] = GLOBAL, task: Task = SERIES) -> Plan:
    """The plan of a blueprint of one node over a chain of these nodes."""
    marks = range(10, 10 + len(module))
    nodes = [NodeGene(mark, own) for mark, own in zip(marks, module, strict=True)]
    links = [LinkGene(a, b) for a, b in zip((0, *marks), (*marks, 1), strict=True)]
    return space.decode(space.assemble(minimal((0,), genes), {0: marked_graph(nodes, links)}), task).plan


def ops(plan: Plan) -> list[str]:
    return [node.op for node in plan.nodes[1:]]


def test_a_node_of_a_sequence_is_its_layer_with_dropout() -> None:
    nodes = [("conv1d", 6, 3, 0.25, 1.5), ("dense", 5, 3, 0.0, 1.5), ("lstm", 4, 3, 0.0, 1.5), ("gru", 7, 1, 0.5, 0.0)]
    genes = (*GLOBAL, "max", 16)
    plan = alone(SEQUENCES, *nodes, genes=genes)
    made = ["conv1d", "relu", "dropout", "conv1d", "relu", "lstm", "gru", "dropout", "max_time", "linear"]
    assert ops(plan) == made
    kernels = [dict(node.params) for node in plan.nodes if node.op == "conv1d"]
    assert [(own["kernel"], own["gain"]) for own in kernels] == [(3, 1.5), (1, 1.0)]
    texts = ops(alone(SEQUENCES, *nodes, genes=genes, task=TEXTS))
    assert texts[0] == "embedding" and [op for op in texts[1:] if op != "mask"] == made and texts.count("mask") == 4


def test_a_node_of_a_vector_is_dense_and_other_inputs_are_flattened() -> None:
    made = ["linear", "batch_norm", "relu", "dropout", "linear"]
    assert ops(alone(FLAT, (6, 0.25), task=VECTORS)) == made
    assert ops(alone(FLAT, (6, 0.25), task=IMAGES)) == ["flatten", *made] == ops(alone(FLAT, (6, 0.25)))


@pytest.mark.parametrize(("space", "task"), [(SEQUENCES, SERIES), (SEQUENCES, TEXTS), (FLAT, VECTORS)])
def test_every_sample_and_mutant_has_a_network_that_both_merges_join(space: Assemblies, task: Task) -> None:
    seen = Counter[str]()
    for seed in range(60):
        rng = Random(seed)
        genome = space.mutate(space.sample(rng), rng)
        assert space.from_json(space.to_json(genome)) == genome
        plan = space.decode(genome, task).plan
        assert plan.shapes[plan.output] == (task.outputs,)
        seen.update(ops(plan))
    assert seen["concat"] and seen["add"]


@pytest.mark.parametrize("seed", range(6))
def test_longer_padding_changes_nothing(seed: int) -> None:
    genome = SEQUENCES.sample(Random(seed))
    ids = torch.randint(1, 50, (4, 20), generator=torch.Generator().manual_seed(seed))
    ids[0, 5:], ids[1, 1:] = 0, 0
    outputs = []
    for length in (20, 33):
        plan = SEQUENCES.decode(genome, Task((length,), 2, vocabulary=50)).plan
        network = Network(plan, torch.Generator().manual_seed(0)).eval()
        outputs.append(network(torch.nn.functional.pad(ids, (0, length - 20))))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)


def test_activation_may_be_a_gene_of_the_network() -> None:
    space = Assemblies(activation=("gelu", "tanh"))
    genes = {space.sample(Random(seed)).blueprint.genes[4] for seed in range(20)}
    assert genes == {"gelu", "tanh"} and [locus.name for locus in space.global_loci][4] == "activation"
    plan = alone(space, (6, 3, 0.0, 1.0, False), genes=(*GLOBAL, "tanh"), task=IMAGES)
    assert "tanh" in ops(plan) and "relu" not in ops(plan)
    assert set(space.decode(space.sample(Random(0)), IMAGES).hyper) == {"momentum", "nesterov", "learning_rate"}


@pytest.mark.parametrize(
    ("layers", "task", "cure"),
    [
        ("images", SERIES, "series 3x20; space.layers=sequences or space.layers=vectors or space=sequence_net reads"),
        ("sequences", VECTORS, "vectors 8; space.layers=vectors or space=mlp reads"),
        ("sequences", IMAGES, "images 1x8x8; space.layers=images or space.layers=vectors or space=chain_cnn reads"),
        ("vectors", TEXTS, "texts of 20 tokens; space.layers=sequences or space=sequence_net reads"),
    ],
)
def test_a_list_that_does_not_fit_is_refused_with_those_that_do(layers: str, task: Task, cure: str) -> None:
    space = Assemblies(layers=layers)
    with pytest.raises(PlanError) as refused:
        space.decode(space.sample(Random(0)), task)
    assert cure in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layers", "image"),
        ("operations", ("conv2d",)),
        ("operations", ()),
        ("pooling", ("sum",)),
        ("embedding", (0, 8)),
        ("activation", ()),
        ("activation", ("swish",)),
    ],
)
def test_settings_that_are_none_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"space\.{key}"):
        Assemblies(**{key: value})


def written(folder: Path) -> dict[str, tuple[str, ...]]:
    """A table, texts and series, as the command line names them."""
    rows = [f"{n % 7},{n % 5},{'yes' if n % 2 else 'no'},w{n % 3} w{n % 4}" for n in range(60)]
    (folder / "t.csv").write_text("\n".join(["a,b,y,text", *rows]), encoding="utf-8")
    np.savez(folder / "s.npz", x_train=np.zeros((60, 2, 24), "float32"), y_train=np.arange(60) % 2)
    table = (f"dataset.path={folder / 't.csv'}", "dataset.target=y")
    return {
        "vectors": ("dataset=csv", *table, "dataset.drop=[text]"),
        "sequences": ("dataset=text_csv", *table, "dataset.text=text"),
        "series": ("dataset=npz", f"dataset.path={folder / 's.npz'}"),
        "images": ("dataset=digits",),
    }


@pytest.mark.parametrize("name", ["vectors", "sequences", "series", "images"])
def test_a_run_takes_the_list_by_its_data_and_keeps_it(name: str, tmp_path: Path) -> None:
    config = compose(["strategy=codeepneat", *written(tmp_path)[name]]).config
    assert config["space"]["layers"] == "auto"
    parts = assemble(config)
    wanted = "sequences" if name == "series" else name
    assert parts.config["space"]["layers"] == wanted
    assert resolved(parts.config) == parts.config
    genome = parts.space.sample(Random(0))
    assert isinstance(genome, Assembly)
    task = {"vectors": VECTORS, "sequences": TEXTS, "series": SERIES, "images": IMAGES}[name]
    assert parts.space.decode(genome, task).plan.shapes[0] == task.inputs  # type: ignore[attr-defined]


def test_a_list_that_is_given_stays() -> None:
    config = compose(["strategy=codeepneat", "dataset=digits", "space.layers=vectors"]).config
    assert assemble(config).config["space"]["layers"] == "vectors"
