"""Network morphisms and their approximate relatives as operations on plans: what a child's network is, without weights.

Exact (the child computes its parent's function): `deepen`, `widen` (Chen et al., Net2Net, ICLR 2016), `skip`, `kernel`
(Wei et al., Network Morphism, ICML 2016) and `batch_norm`. Approximate (Elsken et al., LEMONADE, ICLR 2019): `remove`,
`prune` and `separable`. Of several tasks: `challenge` (Liang et al., GECCO 2018), in its own file. A search records a
child's morphs as JSON; `nn/inherit` replays them on the parent's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from evonas_cli.core.types import Json
from evonas_cli.network.morphs.challenge import challenge
from evonas_cli.network.morphs.channels import WIDTH, is_depthwise, is_layer, linked, non_negative, settings_of
from evonas_cli.network.morphs.edit import INSERTED, Change, Insert, MorphError, edited, readers
from evonas_cli.network.plan import Param, Plan

WORDS = {"outgoing": ("split", "zero"), "join": ("add", "concat")}
"""Settings that are words, with their values."""
TEXTS = ("routes", "made")
"""Settings that are text; all others are whole numbers."""


@dataclass(frozen=True, slots=True)
class Morph:
    """A change at node `at` of a plan; `settings` as for the function of that name below."""

    kind: str
    at: int
    settings: Mapping[str, Param] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise MorphError(f"there is no morph {self.kind!r}; there are {', '.join(KINDS)}")
        if type(self.at) is not int or self.at < 1:
            raise MorphError(f"the morph {self.kind} must be at a node's index above 0; it is at {self.at!r}")
        wanted = SETTINGS[self.kind]
        if set(self.settings) != set(wanted):
            raise MorphError(f"the morph {self.kind} has the settings {', '.join(wanted) or 'none'}, not "
                             f"{', '.join(map(str, self.settings)) or 'none'}")  # fmt: skip
        for name, value in self.settings.items():
            if not _fits(name, value):
                raise MorphError(f"the morph {self.kind} cannot have {name}={value!r}")

    @property
    def exact(self) -> bool:
        """Whether the child computes its parent's function."""
        return self.kind in EXACT

    def to_json(self) -> dict[str, Json]:
        """{"morph": "widen", "at": 1, "to": 16, "outgoing": "split"}."""
        return {"morph": self.kind, "at": self.at, **self.settings}

    @classmethod
    def from_json(cls, data: Json) -> Morph:
        """The inverse of `to_json`. Raises MorphError for anything else."""
        if not isinstance(data, Mapping) or not {"morph", "at"} <= set(data):
            raise MorphError(f"{str(data)[:80]} is no morph: it has no members morph and at")
        rest = {key: value for key, value in data.items() if key not in ("morph", "at")}
        return cls(data["morph"], data["at"], rest)  # type: ignore[arg-type]  # checked by the constructor

    def applied(self, plan: Plan) -> Change:
        """The plan after the morph. Raises MorphError where the morph is none of this plan."""
        try:
            if not self.at < len(plan.nodes):
                raise MorphError(f"the plan has {len(plan.nodes)} nodes")
            return KINDS[self.kind](plan, self.at, **self.settings)
        except MorphError as error:
            raise MorphError(f"{self.kind} at node {self.at}: {error}") from None


def _fits(name: str, value: Param) -> bool:
    if name in TEXTS:
        return type(value) is str
    return value in WORDS[name] if name in WORDS else type(value) is int and value >= 0


def replayed(plan: Plan, morphs: Sequence[Morph]) -> Plan:
    """The plan after all morphs in order. Raises MorphError."""
    for morph in morphs:
        plan = morph.applied(plan).plan
    return plan


def _check_successor(plan: Plan, at: int) -> None:
    if not readers(plan)[at]:
        raise MorphError("no layer comes after it, so the change cannot be made up for")


def _same_size(channels: int, shape: Sequence[int], kernel: int, bias: int) -> tuple[str, dict[str, Param]]:
    """A layer that keeps the size of a value."""
    if len(shape) == 1:
        return "linear", {"features": channels, "bias": bias}
    if len(shape) == 3:
        return "conv", {"channels": channels, "kernel": kernel}
    raise MorphError(f"values of shape {tuple(shape)} are neither vectors nor maps")


def deepen(plan: Plan, at: int, kernel: int) -> Change:
    """A layer with an identity kernel and ReLU after node `at`, whose value is not negative; the kernel is odd."""
    _check_successor(plan, at)
    if kernel % 2 == 0:
        raise MorphError(f"a kernel of {kernel} has no centre; it must be odd")
    if not non_negative(plan, at):
        raise MorphError(f"{plan.nodes[at].op} is no ReLU: ReLU(x) = x does not hold for its values")
    op, params = _same_size(plan.shapes[at][0], plan.shapes[at], kernel, bias=1)
    return edited(plan, after=at, inserts=[Insert(op, (at,), params), Insert("relu", (INSERTED,))])


def batch_norm(plan: Plan, at: int) -> Change:
    """A batch normalisation after node `at`, whose scale and offset undo it."""
    _check_successor(plan, at)
    return edited(plan, after=at, inserts=[Insert("batch_norm", (at,))])


def widen(plan: Plan, at: int, to: int, outgoing: str) -> Change:
    """`to` channels of the layer `at`, more than it has: copies, whose outgoing weights share the original's (split) or
    are zero (zero)."""
    _check_successor(plan, at)
    channels = plan.shapes[at][0]
    if to <= channels:
        raise MorphError(f"it has {channels} channels; to widen it the factor must be above 1, {to} are asked for")
    return _resized(plan, at, to)


def prune(plan: Plan, at: int, to: int) -> Change:
    """`to` channels of the layer `at`, fewer than it has: those with the largest filters."""
    _check_successor(plan, at)
    channels = plan.shapes[at][0]
    if not 1 <= to < channels:
        raise MorphError(f"it has {channels} channels, of which 1 to {channels - 1} can be kept, not {to}")
    return _resized(plan, at, to)


def _resized(plan: Plan, at: int, to: int) -> Change:
    settings: dict[int, dict[str, Param]] = {}
    for node in linked(plan, at):
        settings[node] = {WIDTH[plan.nodes[node].op]: to, **({"groups": to} if is_depthwise(plan, node) else {})}
    return edited(plan, settings)


def skip(plan: Plan, at: int, source: int, join: str) -> Change:
    """Node `source` joins node `at`: added through a layer of zero weights (the gate), or concatenated, with zero
    weights in the layers that read it."""
    _check_successor(plan, at)
    if not 0 < source < at:
        raise MorphError(f"the skip must come from an earlier node, not from {source}")
    if plan.shapes[source][1:] != plan.shapes[at][1:]:
        raise MorphError(f"maps of {plan.shapes[source]} and {plan.shapes[at]} do not have the same size")
    if join == "concat":
        return edited(plan, after=at, inserts=[Insert("concat", (at, source))])
    op, params = _same_size(plan.shapes[at][0], plan.shapes[source], 1, bias=0)
    return edited(plan, after=at, inserts=[Insert(op, (source,), params), Insert("add", (at, INSERTED))])


def kernel(plan: Plan, at: int) -> Change:
    """The kernel of the convolution `at` two larger in both directions, with a border of zeros."""
    if plan.nodes[at].op != "conv":
        raise MorphError(f"{plan.nodes[at].op} has no kernel to grow")
    own = settings_of(plan, at)
    if not own["same"]:
        raise MorphError("it has no padding, which would have to grow with the kernel")
    return edited(plan, {at: {side: own[side] + 2 for side in ("kernel_h", "kernel_w")}})


def separable(plan: Plan, at: int) -> Change:
    """The convolution `at` as a depthwise one and a pointwise one."""
    if plan.nodes[at].op != "conv" or not is_layer(plan, at):
        raise MorphError(f"{plan.nodes[at].op} is no convolution without groups")
    own, given = settings_of(plan, at), plan.shapes[plan.nodes[at].inputs[0]][0]
    if given < 2 or own["kernel_h"] * own["kernel_w"] == 1:
        raise MorphError("it reads one channel, or has a kernel of one pixel: nothing is to be separated")
    pointwise: dict[str, Param] = {"channels": own["channels"], "kernel": 1, "bias": own["bias"]}
    return edited(
        plan,
        {at: {"channels": given, "groups": given, "bias": 0}},
        after=at,
        inserts=[Insert("conv", (at,), pointwise)],
    )


def remove(plan: Plan, at: int, through: int) -> Change:
    """Without the nodes from `at` to `through`, of which each reads the one before it alone."""
    nodes, read_by = range(at, through + 1), readers(plan)
    if not at <= through < len(plan.nodes):
        raise MorphError(f"it cannot go through node {through}")
    for node in nodes:
        if len(plan.nodes[node].inputs) != 1 or (node > at and plan.nodes[node].inputs != (node - 1,)):
            raise MorphError(f"node {node} does not read the one before it alone")
        if node < through and read_by[node] != [node + 1]:
            raise MorphError(f"node {node} is read elsewhere, too")
    _check_successor(plan, through)
    before = plan.shapes[plan.nodes[at].inputs[0]]
    if before[1:] != plan.shapes[through][1:] or not prod(before):
        raise MorphError(f"it changes the size of maps from {before} to {plan.shapes[through]}")
    return edited(plan, left_out=nodes)


KINDS: Mapping[str, Callable[..., Change]] = {
    "deepen": deepen,
    "widen": widen,
    "skip": skip,
    "kernel": kernel,
    "batch_norm": batch_norm,
    "remove": remove,
    "prune": prune,
    "separable": separable,
    "challenge": challenge,
}
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "deepen": ("kernel",),
    "widen": ("to", "outgoing"),
    "skip": ("source", "join"),
    "kernel": (),
    "batch_norm": (),
    "remove": ("through",),
    "prune": ("to",),
    "separable": (),
    "challenge": ("routes", "rivals", "made"),
}
EXACT = frozenset({"deepen", "widen", "skip", "kernel", "batch_norm"})
"""The morphs that keep the function."""
