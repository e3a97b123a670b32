"""Operations of networks that learn several tasks (`Task.members`) with shared modules.

`task_features` takes the number of the task, the last channel or feature, off an example; `flat` makes a vector of what
is left. `soft_ordering` is that of Meyerson and Miikkulainen (ICLR 2018), `task_routes` that of Liang, Meyerson and
Miikkulainen (Evolutionary Architecture Search for Deep Multitask Networks, GECCO 2018). Both read a value and the
example, apply modules of one layer that keep the value's shape (linear on vectors, a convolution of `kernel` x `kernel`
on maps) with a function each, and end in a linear decoder for each task. Their outputs are the classes of all tasks.
For an example of one task the scores of the others' classes are `ABSENT`.

`modules` are the functions of the modules with spaces between them, `classes` the numbers of classes of the tasks:
modules="relu tanh", classes="2 2 3". `routes` has a route for each task (`network/routes.py`); with `rivals` it has a
second one for each, the challengers, whose scores follow those of the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from evonas_cli.network.op import FLAG, Op, Setting, Settings, Shape, Text
from evonas_cli.network.routes import parsed
from evonas_cli.network.source import Source

LAYERS = "evonas_cli.nn.layers.multitask"
FUNCTIONS = ("relu", "gelu", "tanh", "sigmoid")
"""What modules may have after their layer."""
ABSENT = -1e4
"""The score of a class of another task."""


def modules_of(settings: Settings) -> list[str]:
    """The functions of the modules. Raises ValueError for others than FUNCTIONS."""
    found = settings["modules"].split()
    if not found or not set(found) <= set(FUNCTIONS):
        raise ValueError(f"modules must be functions of {', '.join(FUNCTIONS)}; they are {settings['modules']!r}")
    return list(found)


def classes_of(settings: Settings) -> list[int]:
    """The numbers of classes of the tasks. Raises ValueError for anything but whole numbers."""
    words = settings["classes"].split()
    if not words or not all(word.isdecimal() and int(word) for word in words):
        raise ValueError(f"classes must be whole numbers above 0; they are {settings['classes']!r}")
    return [int(word) for word in words]


def _features_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, *rest = shapes[0]
    if channels <= settings["indexed"]:
        raise ValueError("nothing would be left of it without the number of the task")
    left = (channels - settings["indexed"], *rest)
    return (prod(left),) if settings["flat"] else left


def _check_inputs(shapes: Sequence[Shape], settings: Settings) -> None:
    if len(shapes[0]) not in (1, 3):
        raise ValueError("it needs a vector or a map")
    if len(classes_of(settings)) > 1 and len(shapes) < 2:
        raise ValueError("with several tasks it reads the example, too, which says what its task is")
    modules_of(settings)


def _ordering_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    _check_inputs(shapes, settings)
    return (sum(classes_of(settings)),)


def _routes_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    _check_inputs(shapes, settings)
    routes, classes, modules = parsed(settings["routes"]), classes_of(settings), modules_of(settings)
    answers = 1 + settings["rivals"]
    if len(routes) != answers * len(classes):
        raise ValueError(f"{len(classes)} tasks need {answers * len(classes)} routes, there are {len(routes)}")
    if max(max(route.modules) for route in routes) >= len(modules):
        raise ValueError(f"a route goes through a module that is not there; there are {len(modules)}")
    return (answers * sum(classes),)


def _layer(shape: Shape, settings: Settings) -> int:
    """Weights of a module without its bias."""
    return int(shape[0] ** 2 * (settings["kernel"] ** 2 if len(shape) == 3 else 1))


def _decoders(shapes: Sequence[Shape], settings: Settings, answers: int = 1, bias: int = 0) -> int:
    return answers * (prod(shapes[0]) + bias) * sum(classes_of(settings))


def _ordering_parameters(shapes: Sequence[Shape], settings: Settings) -> int:
    count = len(modules_of(settings))
    scales = len(classes_of(settings)) * settings["depth"] * count
    return int(count * (_layer(shapes[0], settings) + shapes[0][0]) + scales + _decoders(shapes, settings, bias=1))


def _ordering_multiply_adds(shapes: Sequence[Shape], settings: Settings) -> int:
    positions = prod(shapes[0][1:])
    modules = len(modules_of(settings)) * settings["depth"] * _layer(shapes[0], settings) * positions
    return int(modules + _decoders(shapes, settings))


def _routes_parameters(shapes: Sequence[Shape], settings: Settings) -> int:
    modules = len(modules_of(settings)) * (_layer(shapes[0], settings) + shapes[0][0])
    edges = sum(len(route.edges) for route in parsed(settings["routes"]))
    return int(modules + edges + _decoders(shapes, settings, 1 + settings["rivals"], bias=1))


def _routes_multiply_adds(shapes: Sequence[Shape], settings: Settings) -> int:
    """All routes are computed for each example."""
    nodes = sum(len(route.modules) for route in parsed(settings["routes"]))
    each = _layer(shapes[0], settings) * prod(shapes[0][1:])
    return int(nodes * each + _decoders(shapes, settings, 1 + settings["rivals"]))


def _features_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(call="{0}" + "[:, :-1]" * settings["indexed"] + ".flatten(1)" * settings["flat"])


def _shared_source(shapes: Sequence[Shape], settings: Settings, name: str, answers: int, more: object) -> Source:
    """A layer of the class `name`, whose last argument is `more`."""
    channels, *rest = shapes[0]
    one = f"nn.Conv2d({channels}, {channels}, {settings['kernel']}, padding='same')" if rest else ""
    shared = ", ".join([one or f"nn.Linear({channels}, {channels})"] * len(modules_of(settings)))
    classes, features = classes_of(settings), prod(shapes[0])
    decoders = ", ".join(f"nn.Linear({features}, {count})" for count in answers * classes)
    parts = f"nn.ModuleList([{shared}]), {tuple(modules_of(settings))!r}, nn.ModuleList([{decoders}])"
    return Source(
        layer=f"{name}({parts}, {len(classes)}, {more!r})",
        call="{layer}({0}, {1})" if len(shapes) > 1 else "{layer}({0})",
        classes=(f"{LAYERS}:SharedModules", f"{LAYERS}:{name}"),
        lines=(f"ABSENT = {ABSENT}  # the score of a class of another task",),
    )


def _ordering_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return _shared_source(shapes, settings, "SoftOrdering", 1, settings["depth"])


def _routes_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    routes = tuple([(route.modules, route.sources) for route in parsed(settings["routes"])])
    return _shared_source(shapes, settings, "TaskRoutes", 1 + settings["rivals"], routes)


_SHARED = {"modules": Text(), "kernel": Setting(3), "classes": Text()}

TASK_OPS: Mapping[str, Op] = {
    "task_features": Op(
        shape=_features_shape,
        build=f"{LAYERS}:task_features",
        stack=None,
        settings={"flat": FLAG, "indexed": FLAG},
        source=_features_source,
    ),
    "soft_ordering": Op(
        shape=_ordering_shape,
        build=f"{LAYERS}:soft_ordering",
        stack=None,
        settings={**_SHARED, "depth": Setting()},
        parameters=_ordering_parameters,
        multiply_adds=_ordering_multiply_adds,
        inputs=(1, 2),
        keeps_zero=False,
        source=_ordering_source,
    ),
    "task_routes": Op(
        shape=_routes_shape,
        build=f"{LAYERS}:task_routes",
        stack=None,
        settings={**_SHARED, "routes": Text(), "rivals": FLAG},
        parameters=_routes_parameters,
        multiply_adds=_routes_multiply_adds,
        inputs=(1, 2),
        keeps_zero=False,
        source=_routes_source,
    ),
}
"""The operations by name."""
