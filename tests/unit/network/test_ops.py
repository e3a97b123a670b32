"""The table of operations: records that contradict themselves, names that are taken, and numbers of inputs."""

from __future__ import annotations

import dataclasses

import pytest

import evonas_cli.network.ops as table
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.op import Op, Setting
from evonas_cli.network.ops import OPS, complete, register
from evonas_cli.network.plan import Graph, PlanError


def record(**changes: object) -> Op:
    given = {"shape": lambda shapes, settings: shapes[0], "build": "my_ops:scale", "stack": None, **changes}
    return Op(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Setting(0), "the default 0 is below the least value 1"),
        (lambda: Setting(2, least=0, most=1), "the default 2 is above the greatest value 1"),
        (lambda: Setting(-0.5, least=0), "the default -0.5 is below the least value 0"),
        (lambda: record(build="my_ops.scale"), "build must be a path such as my_module:my_function"),
        (lambda: record(build="same"), "build must be a path"),
        (lambda: record(stack="my ops:Scale"), "stack must be a path"),
        (lambda: record(stack="same", parameters=lambda shapes, settings: 1), "it has weights, so stack must name"),
        (lambda: record(stack="same", draws=True), "it draws random numbers, so stack must name"),
        (lambda: record(inputs=(0, 1)), "inputs must be a least number above 0"),
        (lambda: record(inputs=(2, 1)), "inputs must be"),
        (lambda: record(short={"kernel": ("kernel_h",)}), "kernel stands for kernel_h, which is no setting"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


def test_a_name_that_is_taken_or_no_word_is_refused():
    with pytest.raises(ValueError, match="there is an operation relu already, built by evonas_cli"):
        register("relu", record())
    for name in ("input", "layer scale", "", "a:b"):
        with pytest.raises(ValueError, match="needs a name"):
            register(name, record())
    register("relu", dataclasses.replace(OPS["relu"]))


@pytest.mark.parametrize("path", ["no_such_module:scale", "no_such_package.layers:scale", "json.no_such:scale"])
def test_a_path_into_no_module_is_refused_before_it_is_needed(path):
    for key in ("build", "stack"):
        with pytest.raises(ValueError, match=f"the operation lost: {key} names {path}, but there is no such module"):
            register("lost", record(**{"build": "json:dumps", key: path}))
    assert "lost" not in OPS


def test_the_table_is_read_only():
    with pytest.raises(TypeError):
        OPS["other"] = record()  # type: ignore[index]


def test_settings_are_complete_and_in_order():
    settings = complete("conv", {"kernel": 3, "channels": 2})
    assert list(settings) == list(OPS["conv"].settings)
    assert (settings["kernel_h"], settings["kernel_w"], settings["stride_h"], settings["gain"]) == (3, 3, 1, 1.0)
    assert complete("dropout", {"rate": 0}) == {"rate": 0.0}


@pytest.mark.parametrize(
    ("inputs", "count", "reason"),
    [
        ((1, 1), 2, "it takes one input, not 2"),
        ((1, None), 0, "it takes one input or more, not 0"),
        ((1, 2), 3, "it takes 1 to 2 inputs, not 3"),
        ((2, 2), 1, "it takes two inputs, not 1"),
        ((3, None), 2, "it takes 3 inputs or more, not 2"),
    ],
)
def test_a_number_of_inputs_is_checked(inputs, count, reason):
    with pytest.raises(ValueError, match=reason):
        record(inputs=inputs).check_inputs(count)


def texts(length: int = 6) -> tuple[Graph, int]:
    graph = Graph((length,))
    return graph, graph.add("embedding", graph.input, vocabulary=9, width=4)


@pytest.mark.parametrize("op", ["mean_time", "max_time", "last_time", "mask"])
def test_token_ids_must_be_those_of_the_sequence(op):
    graph, x = texts()
    assert graph.shape(graph.add(op, x, graph.input)) == ((4, 6) if op == "mask" else (4,))
    shorter = graph.add("max_pool1d", x, kernel=2, stride=2)
    with pytest.raises(PlanError, match=rf"{op}.*token ids of the sequence, of shape \(3,\)"):
        graph.add(op, shorter, graph.input)
    with pytest.raises(PlanError, match=op):
        graph.add(op, graph.input, x)


def test_the_hash_knows_the_order_of_inputs_that_matters():
    def sums(first: str, second: str) -> str:
        """A maximum of one sequence at the places where another sequence, as token ids, has no padding."""
        graph = Graph((4,))
        a, b = (graph.add("linear", graph.input, features=4, bias=bias) for bias in (0, 1))
        found = {"a": a, "b": b}
        x = graph.add("embedding", found[first], vocabulary=5, width=3)
        return canonical_hash(graph.plan(graph.add("max_time", x, found[second])))

    assert len({sums("a", "b"), sums("b", "a"), sums("a", "a")}) == 3
    graph, x = texts()
    with_ids = graph.plan(graph.add("mean_time", x, graph.input))
    assert canonical_hash(with_ids) != canonical_hash(graph.plan(graph.add("mean_time", x)))
    assert canonical_hash(with_ids) != canonical_hash(graph.plan(graph.add("max_time", x, graph.input)))


def test_only_commutative_operations_ignore_the_order(monkeypatch):
    op = record(inputs=(2, 2), build="my_ops:minus")
    monkeypatch.setitem(table._table, "minus", op)

    def difference(swapped: bool) -> str:
        graph = Graph((3,))
        a, b = graph.add("tanh", graph.input), graph.add("relu", graph.input)
        return canonical_hash(graph.plan(graph.add("minus", *((b, a) if swapped else (a, b)))))

    assert difference(True) != difference(False)
    monkeypatch.setitem(table._table, "minus", dataclasses.replace(op, commutative=True))
    assert difference(True) == difference(False)
