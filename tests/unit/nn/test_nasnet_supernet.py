"""The supernet of NASNet's cells: a path is the network of its genome, whose outputs have fewer hidden states."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evonas_cli.network.relaxed import Path
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.spaces.nasnet import NasNet

SPACE = NasNet(
    channels=2,
    normal_cells=1,
    combinations=3,
    operations=["identity", "max_pool_3x3", "dil_conv_3x3"],
    stem_multiplier=1,
)
TASK = Task((1, 4, 4), 5)
NET = Supernet(SPACE.superplan(TASK), torch.Generator().manual_seed(1))
PLAN, EDGES = NET.superplan.plan, SPACE.relaxed.edges
X = torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(2))
paths = st.tuples(*[st.integers(0, len(edge.operations) - 1) for edge in EDGES])


def one_hot(path: Path) -> list[Tensor]:
    return [torch.eye(len(edge.operations))[picked] for edge, picked in zip(EDGES, path, strict=True)]


@settings(max_examples=8, deadline=None)
@given(paths)
def test_a_one_hot_mixture_is_the_path_exactly(path: Path) -> None:
    with torch.no_grad():
        assert torch.equal(NET.mixture(X, one_hot(path)), NET.path(X, path))


def read_channels(live: dict[int, tuple[int, ...]], node: int) -> list[int] | None:
    """The channels of a cell's output that are not zero in a path, for a layer that reads the output; else None."""
    [source] = PLAN.nodes[node].inputs
    while PLAN.nodes[source].op in ("relu", "shift", "global_avg_pool"):
        [source] = PLAN.nodes[source].inputs
    parts = PLAN.nodes[source].inputs
    if PLAN.nodes[source].op != "concat" or not all(part in NET.superplan.gates for part in parts):
        return None
    width = PLAN.shapes[parts[0]][0]
    return [place * width + c for place, part in enumerate(parts) if part in live[source] for c in range(width)]


@settings(max_examples=5, deadline=None)
@given(paths)
def test_the_derived_network_with_the_supernets_weights_is_the_path(path: Path) -> None:
    derived = Network(SPACE.decode(SPACE.assigned(path), TASK).plan, torch.Generator().manual_seed(3))
    live = NET.superplan.live(path)
    weighted = [node for node in live if node and PLAN.nodes[node].op in ("conv", "linear")]
    own = [layer for name, layer in derived.layers.items() if list(layer.parameters()) and "batch_norm" not in name]
    assert len(own) == len(weighted)
    for target, node in zip(own, weighted, strict=True):
        state, channels = NET.layers[f"{node}_{PLAN.nodes[node].op}"].state_dict(), read_channels(live, node)
        if channels is not None:
            state["weight"] = state["weight"][:, channels]
        target.load_state_dict(state)
    derived.train()  # scale 1 and offset 0 are what a supernet's normalisation has
    with torch.no_grad():
        torch.testing.assert_close(derived(X), NET.path(X, path), rtol=1e-4, atol=1e-4)


def test_a_hidden_state_is_in_the_output_with_the_probability_that_nothing_reads_it() -> None:
    """A third of a side of h3 and a half of both sides of h4 read h2: 2/3 x 1/2 x 1/2 are left."""
    shares = one_hot((0,) * len(EDGES))
    for edge, share in ((2, 1 / 3), (4, 1 / 2), (5, 1 / 2)):
        shares[edge] = torch.tensor([1 - share, *[0.0] * 5, share, *[0.0] * (len(EDGES[edge].operations) - 7)])
    first = min(NET.superplan.gates)
    assert NET.superplan.gates[first].closing[0] == (2, (6, 7, 8))
    seen: list[Tensor] = []

    def note(module: object, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0])

    concat = next(node for node, one in enumerate(PLAN.nodes) if first in one.inputs and one.op == "concat")
    handle = NET.layers[f"{concat}_concat"].register_forward_pre_hook(note)
    with torch.no_grad():
        NET.mixture(X, one_hot((0,) * len(EDGES)))
        NET.mixture(X, shares)
        NET.mixture(X, [3 * share if edge in (2, 4, 5) else share for edge, share in enumerate(shares)])
    handle.remove()
    whole, part, of_switches = seen
    torch.testing.assert_close(part, whole / 6)
    torch.testing.assert_close(of_switches, part, msg="shares that are no distribution count by their proportions")


def test_a_hidden_state_that_is_read_does_not_pass_to_the_output() -> None:
    reads = tuple([6 if edge in (2, 3, 4, 5) else 3 for edge in range(len(EDGES))])
    live = NET.superplan.live(reads)
    assert sum(node not in live for node in NET.superplan.gates) == 3, "h2 in each of the three normal cells"


def test_identities_of_halved_inputs_are_layers() -> None:
    roles = {edge.name: edge.roles for edge in EDGES}
    assert roles["normal h2 side 1"] == ("skip", "layer", "layer") * 2
    assert roles["reduction h3 side 2"] == ("layer",) * 6 + ("skip", "layer", "layer")
    assert SPACE.relaxed.skips((0,) * len(EDGES)) == len(EDGES) // 2


def test_wrong_maps_are_refused_as_in_decoding() -> None:
    with pytest.raises(ValueError, match="the task has vectors 64"):
        SPACE.superplan(Task((64,), 10))
