"""How many networks are trained together, by the machine and the network."""

from __future__ import annotations

from training_jobs import job

from evonas_cli.jobs.stacks import Machine, width
from evonas_cli.network.plan import Graph

FP32, BF16 = Machine("cpu", "fp32", "AVX512"), Machine("cpu", "bf16", "AVX512")
SHORT = Machine("cpu", "fp32", "AVX2")


def trainer(**changes):
    return job(**changes).equipment.trainer


def small_network(channels=8):
    graph = Graph((1, 28, 28))
    x = graph.add("conv", graph.input, channels=channels, kernel=5)
    x = graph.add("conv", graph.add("max_pool", x, kernel=2), channels=2 * channels, kernel=5)
    return graph.plan(graph.add("linear", graph.add("flatten", x), features=10))


def one_layer():
    graph = Graph((1, 28, 28))
    return graph.plan(graph.add("linear", graph.add("flatten", graph.input), features=10))


def test_a_small_network_of_images_is_stacked_wider_in_bf16_on_cpus():
    auto, plan = trainer(precision="auto"), small_network()
    assert width(auto, plan, BF16) > width(auto, plan, FP32) > 1
    assert width(trainer(precision="fp32"), plan, BF16) == width(auto, plan, FP32)


def test_networks_that_read_maps_are_stacked_less_on_cpus_with_avx2():
    auto = trainer(precision="auto")
    widths = [width(auto, small_network(channels), SHORT) for channels in (2, 8)]
    assert widths == [2, 1]
    assert all(width(auto, small_network(channels), FP32) > each for channels, each in zip((2, 8), widths, strict=True))
    assert width(auto, one_layer(), FP32) == width(auto, one_layer(), SHORT) == 20
    assert width(trainer(stack=7), small_network(), SHORT) == 7


def test_a_machine_is_what_a_jobs_environment_says():
    there = {"device": "cpu", "device_name": "x86_64 AVX2", "precision": "bf16"}
    assert Machine.of(there) == Machine("cpu", "bf16", "AVX2")
    assert Machine.of({"device": "cpu"}) == Machine("cpu", "fp32", "")
