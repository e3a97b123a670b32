"""Whether parts keep to their interfaces, checked before anything is trained.

The test suites hold evonas' own parts to their contracts; those of a user are tried out here. What is drawn comes from
streams of its own, so that a run is the same with and without these checks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from evonas_cli.core.blame import described, is_ours, naming, reason
from evonas_cli.core.capability import lack, unknown
from evonas_cli.core.codec import CodecError, decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Evaluator, Job
from evonas_cli.core.guard import proposed
from evonas_cli.core.protocols import OF_STRATEGIES, Keeping, Space, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.tracking import Tracker
from evonas_cli.core.types import Evaluation, Metric
from evonas_cli.genomes.capabilities import OF_SPACES, Buildable, Linear, Mutable
from evonas_cli.network.task import Phenotype, Task

TRIED = 5
"""Genomes with which a space is tried out."""
SAMPLES = 20
"""Genomes of which one must have a network."""
_KNOWN = {"space": OF_SPACES, "strategy": OF_STRATEGIES}
_INTERFACES = {"space": Space, "strategy": Strategy, "job": Job, "evaluator": Evaluator, "tracker": Tracker}


def check_interfaces(**parts: Any) -> None:
    """Raises UsageError for a part, named by its group, that lacks what all parts of its group have."""
    for group, part in parts.items():
        lacking = lack(part, _INTERFACES[group])
        if group == "job" and callable(part):
            lacking = (
                "nothing calls its __call__; write `def open(self, place): return self` and `def evaluate(self, unit, "
                "context)`, which yields one Result for each of unit.candidates"
            )
        if lacking is not None:
            raise UsageError(f"{group} {type(part).__name__} does not keep to its interface: {lacking}")
        for name, metric in part.metrics.items() if group == "job" else ():
            if not isinstance(name, str) or not isinstance(metric, Metric) or metric.direction not in ("min", "max"):
                found = f"{name!r}: {metric!r}"
                raise UsageError(
                    f'job {type(part).__name__}: metrics has {found}; write name: Metric("min"), or Metric("max")'
                )


def check_names(**parts: Any) -> None:
    """Raises UsageError for a space or strategy with a public method or property that is no known capability.

    A misspelt capability would be none without a word.
    """
    for group, part in parts.items():
        for name, like in unknown(part, _KNOWN[group]).items():
            hint = "" if like is None else f"; did you mean {like}?"
            raise UsageError(
                f"{group} {type(part).__name__} has {name}, which is no capability{hint} (names of its own methods "
                f"begin with _: _{name})"
            )


def check_dataset(dataset: Any) -> None:
    """Raises UsageError for a data set that no job can read."""
    images, tokens, captions = ("prepare",), ("corpus", "test"), ("captions", "test_captions")
    if not any(all(callable(getattr(dataset, name, None)) for name in names) for names in (images, tokens, captions)):
        raise UsageError(
            f"dataset {type(dataset).__name__} has neither images (a subclass of evonas_cli.data.dataset.Dataset with "
            "a `read`) nor sequences (the methods `corpus` and `test`) nor images with captions (`captions` and "
            "`test_captions`)"
        )


def check_dedupe(
    how: str, strategy: Strategy[Any, Any], metrics: Mapping[str, Metric], asked: Sequence[tuple[str, str]]
) -> None:
    """Raises UsageError where repeated candidates must be evaluated, whatever the setting `dedupe` says.

    `asked` names the metrics that the run needs, each after the root key that names it.
    """
    if strategy.demands.continues:
        raise UsageError(
            f"dedupe={how}: this strategy hands trained weights on, and a repeated candidate, which is not trained, "
            "has none; set dedupe=none"
        )
    for key, name in asked:
        spent = name == "cost" or (metrics[name].measured and not metrics[name].lasting)
        if spent and key != "constraints":
            what = "be an objective" if key == "objectives" else f"be named in {key}"
            raise UsageError(f"dedupe={how}: {name} is 0 for a repeated candidate and so cannot {what}; "
                             "set dedupe=none")  # fmt: skip


def try_out(space: Space[Any], strategy: Strategy[Any, Any], seed: int, allowed: Sequence[str] = ()) -> None:
    """Raises UsageError for a space or a strategy of a user that breaks its contract at the first use."""
    if not is_ours(space):
        check_names(space=space)
        _Trial(space, seed, allowed).space(Linear in strategy.demands.space)
    if not is_ours(strategy):
        check_names(strategy=strategy)
        _Trial(space, seed, allowed).strategy(strategy)


def check_environment(environment: Any) -> None:
    """Raises UsageError for an environment of a job that a run cannot record."""
    try:
        fine = isinstance(environment, dict) and json.dumps(environment, allow_nan=False)
    except (TypeError, ValueError):
        fine = False
    if not fine:
        shown = " ".join(repr(environment).split())[:80]
        raise UsageError(f"the job's environment must be a dictionary of JSON values, not {shown}")


def check_networks(space: Any, environment: Mapping[str, Any], seed: int, allowed: Sequence[str] = ()) -> None:
    """Decodes samples for the task that the job tells of, until one has a network.

    Raises UsageError when none of them has one, and for a network that does not fit the task.
    """
    given = environment.get("task")
    if not isinstance(space, Buildable) or not isinstance(given, Mapping):
        return
    try:
        task, reasons = Task.from_json(given), Counter[str]()
    except ValueError:  # the task of a job of the user's own, which its space knows
        return
    name: str = type(space).__name__
    for index in range(SAMPLES):
        genome = space.sample(stream(seed, "check", index))  # type: ignore[attr-defined]
        try:
            phenotype = space.decode(genome, task)
        except Exception as error:  # what it is, is counted and told
            reasons[reason(error, allowed)] += 1
            continue
        _check_network(name, phenotype, task)
        return
    [(commonest, _)] = reasons.most_common(1)
    raise UsageError(
        f"none of {SAMPLES} samples of the space {name} has a network for {task.examples}: {commonest}; "
        "change the space's settings or the data set"
    )


def _check_network(name: str, phenotype: Any, task: Task) -> None:
    if not isinstance(phenotype, Phenotype):
        raise UsageError(f"space {name}: decode must return a Phenotype, but gave a {type(phenotype).__name__}")
    plan = phenotype.plan
    if plan.shapes[0] != task.inputs:
        raise UsageError(
            f"space {name}: decode made a network for inputs {plan.shapes[0]}, but the task's are {task.inputs}; "
            "begin it with Graph(task.inputs)"
        )
    if plan.shapes[plan.output] != (task.outputs,):
        raise UsageError(
            f"space {name}: decode made a network with an output {plan.shapes[plan.output]}, but the task has "
            f"{task.outputs} {task.kind}; end it with a linear layer of task.outputs features"
        )


class _Trial:
    """Tries a user's parts out on the genomes of a space."""

    def __init__(self, space: Any, seed: int, allowed: Sequence[str]) -> None:
        self._space, self._seed, self._allowed = space, seed, allowed
        self._name = f"space {type(space).__name__}"

    def space(self, linear: bool) -> None:
        """Sampling, mutation, and the stored form of genomes; `linear` asks for tuples with one gene per choice."""
        space, name, seed = self._space, self._name, self._seed
        for index in range(TRIED):
            genome, text = self._twice("sample", lambda: space.sample(stream(seed, "check", index)))  # noqa: B023
            if linear and not (isinstance(genome, tuple) and len(genome) == len(space.choices)):
                raise UsageError(
                    f"{name} has choices, so its genomes must be tuples with {len(space.choices)} genes, one for each; "
                    f"sample gave {text}"
                )
            if isinstance(space, Mutable):
                self._twice("mutate", lambda: space.mutate(genome, stream(seed, "check-mutate", index)))  # noqa: B023
                if self._text(genome) != text:
                    raise UsageError(f"{name}: mutate changed the genome that it was given; return a new one")

    def _twice(self, method: str, draw: Callable[[], Any]) -> tuple[Any, str]:
        """What a method draws from equal generators, and its stored form."""
        with naming(f"{self._name}: {method}", self._allowed):
            first, second = draw(), draw()
        texts = self._text(first), self._text(second)
        if texts[0] != texts[1]:
            raise UsageError(
                f"{self._name}: {method} does not depend on its generator alone: equal generators gave "
                f"{_short(texts[0])} and {_short(texts[1])}; draw from the rng that is given"
            )
        return first, texts[0]

    def _text(self, genome: Any) -> str:
        """The genome's stored form. Raises UsageError where it is none, or does not lead back to the genome."""
        text = self._written(genome)
        with naming(f"{self._name}: from_json cannot read {_short(text)}, which to_json gave", self._allowed):
            read = self._space.from_json(json.loads(text))
        again = self._written(read)
        if again != text:
            raise UsageError(
                f"{self._name}: from_json is not the inverse of to_json: {_short(text)} came back as {_short(again)}"
            )
        return text

    def _written(self, genome: Any) -> str:
        with naming(f"{self._name}: to_json", self._allowed):
            data = self._space.to_json(genome)
        try:
            return json.dumps(data, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"{self._name}: to_json gave {_short(repr(data))}, which JSON cannot hold ({error}); "
                "give numbers, words, lists, or dictionaries"
            ) from error

    def strategy(self, strategy: Any) -> None:
        """A fresh state, one ask, made twice, and the tell of nothing but failures."""
        name, seed = f"strategy {type(strategy).__name__}", self._seed
        try:
            hint = state_hint(strategy)
        except (CodecError, NameError) as error:
            raise UsageError(f"{name}: {error}; annotate the type that init returns") from error
        with naming(f"{name}: init", self._allowed):
            state = strategy.init(stream(seed, "check-init"))
        text = self._stored(f"{name}: init", hint, state)
        asked = []
        for given in (state, self._restored(f"{name}: init", hint, text, state)):
            with naming(f"{name}: ask", self._allowed):
                answer = strategy.ask(given, stream(seed, "check-ask"))
            proposals, after = proposed(strategy, answer)
            genomes = [
                (p.genome is None or self._text(p.genome), p.job, p.parents, p.operator, p.fidelity, p.continues)
                for p in proposals
            ]
            asked.append((genomes, self._stored(f"{name}: ask", hint, after)))
        if asked[0] != asked[1]:
            raise UsageError(
                f"{name} does not depend on its state and its generator alone: asked twice in the same place it "
                "proposes different things; draw from the rng that is given, and keep nothing in self"
            )
        told = [Evaluation(id, proposal.genome, None) for id, proposal in enumerate(proposals)]
        if told:
            with naming(f"{name}: tell, of {len(told)} failed candidates", self._allowed):
                after = strategy.tell(after, told, stream(seed, "check-tell"))
            self._stored(f"{name}: tell", hint, after)
        if isinstance(strategy, Keeping):
            with naming(f"{name}: keeps", self._allowed):
                kept = strategy.keeps(after)
            if not isinstance(kept, Container):
                raise UsageError(f"{name}: keeps must return a collection of ids, but gave {_short(repr(kept))}")
        with naming(f"{name}: population", self._allowed):
            members = strategy.population(after)
        if not isinstance(members, tuple) or any(type(id) is not int for id in members):
            raise UsageError(f"{name}: population must return a tuple of ids, but gave {_short(repr(members))}")

    def _stored(self, what: str, hint: Any, state: Any) -> str:
        try:
            return json.dumps(encode(hint, state, self._space.to_json), sort_keys=True)
        except (CodecError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UsageError(
                f"{what} gave a state of type {type(state).__name__}, which cannot be stored as the type that init is "
                f"annotated with: {described(error, self._allowed)}"
            ) from error

    def _restored(self, what: str, hint: Any, text: str, state: Any) -> Any:
        try:
            restored = decode(hint, json.loads(text), self._space.from_json)
            try:
                same = bool(restored == state)
            except ValueError:  # arrays, of which the truth of a comparison is ambiguous
                same = self._stored(what, hint, restored) == text
        except (CodecError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UsageError(f"{what}: the stored state cannot be read: {described(error, self._allowed)}") from error
        if not same:
            raise UsageError(
                f"{what} gave a state that is another one when it is read back: {_short(repr(state))} became "
                f"{_short(repr(restored))}; keep to the types that init is annotated with"
            )
        return restored


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
