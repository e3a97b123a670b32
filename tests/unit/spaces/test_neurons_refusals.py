"""What the space of neurons refuses: data of other sizes, what is no genome, settings out of range."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.spaces.neurons import NeuronGraphs

XOR = NeuronGraphs(functions=("sigmoid", "sine"))


def test_data_of_another_size_is_refused_with_a_cure() -> None:
    genome = XOR.sample(Random(0))
    with pytest.raises(ValueError, match="space.inputs=2, but the task has 4 inputs; set space.inputs=4"):
        XOR.decode_neurons(genome, 4, 1)
    with pytest.raises(ValueError, match="space.outputs=1, but the task has 3 outputs; set space.outputs=3"):
        XOR.decode_neurons(genome, 2, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"nodes": [], "links": [[0, 3, 1.0], [3, 0, 1.0]], "disabled": []}, "no link may lead from 3 to 0"),
        ({"nodes": [], "links": [[0, 3]], "disabled": []}, "a link has two ends, then weight, not 2"),
        ({"nodes": [], "links": [[0, 3, "1"]], "disabled": []}, "weight is '1'"),
        ({"nodes": [], "links": [], "disabled": [[0, 3, 1.0]]}, "no path"),
        (
            {"nodes": [{"mark": 9, "function": "cosine"}], "links": [[0, 3, 1.0]], "disabled": []},
            "function is 'cosine'",
        ),
        ({"nodes": [{"mark": 3, "function": "sigmoid"}], "links": [[0, 3, 1.0]], "disabled": []}, "above 3"),
        ({"nodes": [], "links": [[0, 3, 1.0], [0, 3, 2.0]], "disabled": []}, "same ends"),
    ],
)
def test_what_is_no_genome_is_refused(data: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        XOR.from_json(data)


def test_a_genome_with_a_cycle_is_refused() -> None:
    nodes = [{"mark": mark, "function": "sigmoid"} for mark in (40, 90)]
    links = [[0, 40, 1.0], [40, 90, 1.0], [90, 40, 1.0], [90, 3, 1.0]]
    with pytest.raises(ValueError, match="cycle"):
        XOR.from_json({"nodes": nodes, "links": links[:2] + links[3:], "disabled": links[2:3]})


@pytest.mark.parametrize(
    "settings",
    [
        {"inputs": 0},
        {"outputs": True},
        {"functions": ("cosine",)},
        {"functions": ()},
        {"functions": ("sine", "sine")},
        {"output_function": "cosine"},
        {"weight_sd": 0.0},
        {"perturb_sd": float("inf")},
        {"weight_limit": 0.0},
        {"weight_probability": 1.5},
        {"perturb_probability": 0.9, "redraw_probability": 0.2},
        {"add_link_probability": -0.1},
        {"stays_disabled": 2.0},
        {"unmatched_coefficient": -1.0},
        {"unmatched_coefficient": 0.0, "weight_coefficient": 0.0, "function_coefficient": 0.0},
        {"small_genome": -1},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"space.{next(iter(settings))}") as caught:
        NeuronGraphs(**settings)
    assert "\n" not in str(caught.value)


def test_a_palette_without_a_nonlinear_function_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    NeuronGraphs(functions=("add",))
    assert "every network is linear" in caplog.text
