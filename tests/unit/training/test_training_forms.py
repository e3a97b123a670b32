"""Forms of stacked convolutions are tried as they would run, recorded or not."""

from __future__ import annotations

import logging

import pytest
import torch
from quadrants import trainer

from evonas_cli.core.plan import Graph, Plan
from evonas_cli.nn.convolution import FUNCTIONS
from evonas_cli.training.form_trials import Layer, try_forms
from evonas_cli.training.recording import NotRecorded

CPU = torch.device("cpu")
FORMS = {"grouped", "unfold", "branches"}


def plan() -> Plan:
    """A convolution of the common images, and two equal ones of each member."""
    graph = Graph((1, 6, 6))
    x = graph.input
    for _ in range(3):
        x = graph.add("relu", graph.add("conv", x, channels=4, kernel=3))
    return graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=4))


def test_layers_that_members_compute_apart_are_tried_once_in_each_form():
    (layer,) = try_forms(plan(), trainer(stack=3), CPU, 4, 0.0)
    assert layer.name == "4x6x6_to4_k3_p1" and set(layer.seconds) == FORMS
    assert all(seconds > 0 for seconds in layer.seconds.values())
    assert layer.to_json()["best"] == layer.best and layer.best in FORMS


def test_with_a_graph_replays_are_measured_and_nothing_else():
    made: list[list[int]] = []

    def record(run, generator):
        run()
        calls = [0]
        made.append(calls)

        def replay():
            calls[0] += 1

        return replay

    (layer,) = try_forms(plan(), trainer(stack=2), CPU, 4, 0.0, graph=True, record=record)
    assert set(layer.seconds) == FORMS and len(made) == 3 and {calls[0] for calls in made} == {3}


@pytest.mark.parametrize("error", [NotRecorded("is not recorded"), RuntimeError("stream is capturing")])
def test_where_one_cannot_be_recorded_all_are_tried_without(error, caplog):
    def record(run, generator):
        if run.args[1] == "unfold":
            raise error
        return lambda: pytest.fail("replayed")

    with caplog.at_level(logging.WARNING):
        (layer,) = try_forms(plan(), trainer(stack=2), CPU, 4, 0.0, graph=True, record=record)
    assert set(layer.seconds) == FORMS and "tried without a CUDA graph" in caplog.text


def test_a_form_whose_recording_does_not_fit_is_left_out():
    def record(run, generator):
        if run.args[1] == "unfold":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run

    (layer,) = try_forms(plan(), trainer(stack=2), CPU, 4, 0.0, graph=True, record=record)
    assert set(layer.seconds) == {"grouped", "branches"}


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("Expected canUse32BitIndexMath(input)")]
)
def test_a_form_that_memory_or_a_kernel_does_not_allow_is_left_out(error, monkeypatch):
    def unfold(*_):
        raise error

    monkeypatch.setitem(FUNCTIONS, "unfold", unfold)
    (layer,) = try_forms(plan(), trainer(stack=2), CPU, 4, 0.0)
    assert set(layer.seconds) == {"grouped", "branches"}


def test_another_form_has_to_be_clearly_faster():
    assert Layer("a", {"grouped": 1.05, "unfold": 1.0}).best == "grouped"
    assert Layer("a", {"grouped": 1.2, "unfold": 1.0}).best == "unfold"
    assert Layer("a", {"unfold": 2.0, "branches": 1.0}).best == "branches"
