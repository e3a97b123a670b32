"""A space without a graph for the task is refused before anything is trained."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from neural_space import Graphs

from evonas_cli.core.errors import UsageError
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.task import Task
from evonas_cli.run.graphs import check_graphs

ENVIRONMENT = {"task": Task((2,), 2).to_json()}


class Other(Graphs):
    """Decodes to what it was given."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found

    def decode_neurons(self, genome: Neurons, n_inputs: int, n_outputs: int) -> Any:
        return self.found


def test_a_space_that_fits_passes() -> None:
    check_graphs(Graphs(), ENVIRONMENT, 0)
    check_graphs(Graphs(4, 3), {"task": Task((4,), 3).to_json()}, 0)


@pytest.mark.parametrize(
    ("space", "line"),
    [
        (Graphs(3), "none of 20 samples of the space Graphs has a graph of 2 inputs and 1 outputs: "),
        (Other({"nodes": []}), "space Other: decode_neurons must return Neurons, but gave a dict"),
        (Other(Graphs(3).sample(Random(0))), "space Other: decode_neurons made a graph of 3 inputs and 1 outputs"),
    ],
)
def test_one_that_does_not_is_refused_in_one_line(space: Any, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_graphs(space, ENVIRONMENT, 0)
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)
