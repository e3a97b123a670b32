"""Graphs of neurons: what is counted, and what is refused."""

import pytest

from evonas_cli.network.neurons import Neurons

# Two inputs (0, 1), the bias (2), hidden nodes 3 and 4, output 5.
LINKS = ((0, 3), (1, 3), (2, 4), (3, 4), (0, 5), (4, 5))


def neurons(**changes) -> Neurons:
    fields = {
        "n_inputs": 2,
        "n_outputs": 1,
        "functions": ("tanh", "multiply", "add"),
        "links": LINKS,
        "weights": (0.5, -1.0, 2.0, 0.25, 3.0, 1.0),
    }
    return Neurons(**{**fields, **changes})


def test_counts() -> None:
    made = neurons()
    assert (made.parameters, made.n_hidden, made.first_node, made.depth) == (6, 2, 3, 3)


def test_no_link_is_no_depth() -> None:
    made = neurons(functions=("add",), links=(), weights=())
    assert (made.parameters, made.n_hidden, made.depth) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"links": (*LINKS[:4], (5, 4), LINKS[5])}, "link 5 -> 4 closes a cycle"),
        ({"links": (*LINKS[:3], (4, 4), *LINKS[4:])}, "link 4 -> 4 closes a cycle"),
        ({"links": ((0, 1), *LINKS[1:])}, "link 0 -> 1 leads into an input"),
        ({"links": ((0, 2), *LINKS[1:])}, "link 0 -> 2 leads into an input or the bias"),
        ({"links": (LINKS[0], LINKS[0], *LINKS[2:])}, "link 0 -> 3 is there twice"),
        ({"links": (*LINKS[:5], (4, 6))}, "link 4 -> 6 leaves the values, which are numbered 0 to 5"),
        ({"links": ((-1, 3), *LINKS[1:])}, "link -1 -> 3 leaves the values"),
        ({"links": (LINKS[1], LINKS[0], *LINKS[2:])}, "link 0 -> 3 is out of order"),
        ({"functions": ("tanh", "cosine", "add")}, "there is no function 'cosine'; there are sigmoid, tanh"),
        ({"functions": ()}, "1 outputs have 0 functions"),
        ({"weights": (1.0,)}, "6 links have 1 weights"),
        ({"weights": (0.5, -1.0, float("nan"), 0.25, 3.0, 1.0)}, "link 2 -> 4 has the weight nan, which is not finite"),
        ({"n_inputs": 0}, "neurons need an input and an output"),
    ],
)
def test_refused_in_one_line(changes, line) -> None:
    with pytest.raises(ValueError) as caught:
        neurons(**changes)
    assert line in str(caught.value) and "\n" not in str(caught.value)
