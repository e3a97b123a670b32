"""A genome as the outcome of a program of named decisions: one program serves sampling, mutation and learned policies.

A space that is Walkable has a generator that yields one `Decision` after the other, is sent an answer to each, and
returns the genome. What comes later may depend on the answers, and so may the options that are legal. An answer is the
index of an option of the decision's kind, or, at an anchor, a number whose bit j links this anchor to the earlier
anchor j (Zoph and Le, ICLR 2017, section 3.3). The answers of one walk are its trace, which replays to the same genome.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias, TypeVar

from evonas_cli.genomes.choices import Choice, Gene, Genes

G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Decision:
    """What has to be decided next.

    Decisions of one `kind` share their options, and a policy's weights. `legal` are indices of the options that are
    allowed here (None: all). `links` marks an anchor and says how many anchors came before it; None: no anchor.
    """

    kind: str
    legal: tuple[int, ...] | None = None
    links: int | None = None


Kinds: TypeAlias = Mapping[str, Sequence[Gene]]
"""The options of every kind that is no anchor, in the order of their indices."""

Trace: TypeAlias = tuple[int, ...]
Program: TypeAlias = Generator[Decision, int, G]
Pick: TypeAlias = Callable[[Decision], int]


def run(program: Program[G], pick: Pick) -> tuple[G, Trace]:
    """Drives a program to its end; returns the genome and the trace."""
    trace: list[int] = []
    try:
        decision = next(program)
        while True:
            trace.append(pick(decision))
            decision = program.send(trace[-1])
    except StopIteration as end:
        genome: G = end.value
        return genome, tuple(trace)


def replay(program: Program[G], trace: Trace, kinds: Kinds) -> tuple[G, list[Decision]]:
    """The genome of a trace, and the decisions that led to it, legal options included.

    Raises ValueError for a trace that is no walk of this program.
    """
    decisions: list[Decision] = []

    def answer(decision: Decision) -> int:
        decisions.append(decision)
        if len(decisions) > len(trace):
            raise ValueError(f"the walk goes on after {len(trace)} decisions, with {decision.kind}")
        given = trace[len(decisions) - 1]
        if given not in legal(decision, kinds):
            raise ValueError(f"decision {len(decisions)} ({decision.kind}) cannot be answered by {given}")
        return given

    genome, answered = run(program, answer)
    if len(answered) < len(trace):
        raise ValueError(f"the walk ends after {len(answered)} decisions; the trace has {len(trace)}")
    return genome, decisions


def legal(decision: Decision, kinds: Kinds) -> Sequence[int]:
    """The answers that a decision may get, in ascending order."""
    if decision.links is not None:
        return range(1 << decision.links)
    return range(len(kinds[decision.kind])) if decision.legal is None else decision.legal


def uniform(kinds: Kinds, rng: Random) -> Pick:
    """Every legal answer with equal chances: every link is a fair coin."""

    def pick(decision: Decision) -> int:
        if decision.links is not None:
            return rng.getrandbits(decision.links) if decision.links else 0
        return rng.choice(legal(decision, kinds))

    return pick


def redraw(walk: Callable[[], Program[G]], trace: Trace, kinds: Kinds, rng: Random) -> tuple[G, Trace]:
    """A walk with one decision answered differently, drawn uniformly among those that have another answer.

    At an anchor one link is flipped. Later answers stay as long as the program asks for the same kinds and they are
    legal; from there on, decisions are drawn anew. The trace comes back unchanged when nothing can be changed.
    """
    genome, decisions = replay(walk(), trace, kinds)
    open_places = [place for place, decision in enumerate(decisions) if len(legal(decision, kinds)) > 1]
    if not open_places:
        return genome, trace
    chosen = rng.choice(open_places)
    fresh, place, following = uniform(kinds, rng), -1, True

    def pick(decision: Decision) -> int:
        nonlocal place, following
        place += 1
        if place == chosen:
            return _other(decision, trace[place], kinds, rng)
        following = following and place < len(decisions) and decisions[place].kind == decision.kind
        if following and trace[place] in legal(decision, kinds):
            return trace[place]
        return fresh(decision)

    return run(walk(), pick)


def _other(decision: Decision, answer: int, kinds: Kinds, rng: Random) -> int:
    if decision.links is not None:
        return answer ^ (1 << rng.randrange(decision.links))
    return rng.choice([option for option in legal(decision, kinds) if option != answer])


def kinds_of(choices: Sequence[Choice]) -> dict[str, tuple[Gene, ...]]:
    """Independent choices as kinds, one each."""
    return {choice.name: choice.options for choice in choices}


def walk_choices(choices: Sequence[Choice]) -> Program[Genes]:
    """Independent choices as a program."""
    genes = []
    for choice in choices:
        genes.append(choice.options[(yield Decision(choice.name))])
    return tuple(genes)
