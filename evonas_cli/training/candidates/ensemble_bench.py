"""Mixtures of networks that a run has trained: read, mixed, measured, and kept as one network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import WEIGHTS, Context
from evonas_cli.core.types import Candidate, Failure, Heir, Json, Result, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.data.resident import Resident
from evonas_cli.data.shared import shared
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.nn.build import Network
from evonas_cli.training import checkpoint, state
from evonas_cli.training.candidates.attempt import Noted, attempt
from evonas_cli.training.candidates.built import signature_of
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.mixture import Mixture, fit

FITTED = "mixture"
"""What the file of a mixture says in the place of an optimiser's name: the mixture itself was not trained."""
CLOSE = 1e-3
"""Largest difference, relative to the largest output, between a mixture and the one network that it is kept as."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of a candidate."""

    members: Sequence[int]
    penalties: Sequence[float]
    steps: int


class EnsembleBench:
    """The data on its device, and the mixing of trained networks on it."""

    def __init__(self, equipment: Equipment[Buildable[Any], Source], file: int | None = None) -> None:
        """`file` is a descriptor through which benches on one machine share the prepared data (`data.shared`)."""
        self.equipment, self._file = equipment, file

    def environment(self) -> dict[str, Json]:
        """As that of a training."""
        data, fingerprint, _ = self._loaded
        return environment(data.device, self.equipment.threads, data.task, fingerprint)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate; its payload has the mixture's `weights`. Failures are those of `attempt`.

        Raises UsageError for options that the job does not know, EnvironmentFailure where a member that the candidate
        does not continue has lost its weights.
        """
        for candidate in unit.candidates:
            wish, mixed = _wish(candidate), dict[str, Mixture]()

            def measure(
                labels: dict[str, str],
                curves: Noted,
                candidate: Candidate[Any] = candidate,
                wish: Wish = wish,
                mixed: dict[str, Mixture] = mixed,
            ) -> Mapping[str, float] | Failure:
                mixed[FITTED], metrics = self._mixed(candidate, wish, context, labels)
                return metrics

            result = attempt(candidate, context, measure)
            done = result.status == "ok"
            yield replace(result, payload={"weights": list(mixed[FITTED].weights)}) if done else result

    def _mixed(
        self, candidate: Candidate[Any], wish: Wish, context: Context, labels: dict[str, str]
    ) -> tuple[Mixture, dict[str, float]]:
        """The mixture and its metrics; the network is kept in the candidate's folder."""
        data = self._loaded[0]
        members = [self._member(candidate, id, context) for id in wish.members]
        outputs, targets = self._outputs(members, "train")
        mixture = fit(outputs, targets, wish.penalties, wish.steps)
        outputs, targets = self._outputs(members, "valid")
        weights = torch.tensor(mixture.weights, dtype=outputs.dtype, device=data.device)
        sums = torch.einsum("j,jnk->nk", weights, outputs)
        plan = self.equipment.space.decode(candidate.proposal.genome, data.task).plan
        network = merged(plan, members, mixture.weights)
        self._check(network, sums)
        labels["network"] = canonical_hash(plan)
        labels["state"] = self._keep(candidate, context, plan, network, mixture)
        error = float((sums.argmax(1) != targets).double().mean())
        alone = [float((own.argmax(1) == targets).double().mean()) for own in outputs]
        return mixture, {
            "objective": mixture.objective,
            "valid_loss": float(F.cross_entropy(sums, targets)),
            "valid_error": error,
            "valid_accuracy": 1.0 - error,
            "best_member_accuracy": max(alone),
            "members": float(len(members)),
            "parameters": float(plan.parameters),
            "multiply_adds": float(plan.multiply_adds),
        }

    def _member(self, candidate: Candidate[Any], id: int, context: Context) -> Network:
        """A trained network of the run, on the device. Raises Lost, or EnvironmentFailure for another than the one that
        the candidate continues."""
        folder = context.folder(id)
        if folder is None:
            raise EnvironmentFailure(f"candidate {candidate.id} mixes candidate {id}, but this run keeps no files")
        continued = candidate.proposal.continues == id
        origin = candidate.origin if continued and isinstance(candidate, Heir) else None
        source = checkpoint.Source(folder=folder, run_seed=self.equipment.seed, id=id, origin=origin)
        try:
            found = source.read()
        except ValueError as error:
            if continued:
                raise checkpoint.Lost(candidate.id, str(error)) from error
            raise EnvironmentFailure(
                f"candidate {candidate.id} mixes candidate {id}, whose weights are lost ({error}); put the file back "
                "and resume the run, or begin a new one"
            ) from error
        network = Network(Plan.from_json(json.loads(found["plan"])), torch.Generator())
        network.load_state_dict(found["model"])
        return network.eval().to(self._loaded[0].device)

    @torch.no_grad()
    def _outputs(self, networks: Sequence[Network], part: Any) -> tuple[Tensor, Tensor]:
        """Logits (networks, examples, classes), float64, and classes (examples,) of a part, not augmented."""
        found, classes = [], []
        for x, y in self._loaded[0].batches(part, self.equipment.trainer.eval_batch_size):
            found.append(torch.stack([network(x).double() for network in networks]))
            classes.append(y)
        return torch.cat(found, 1), torch.cat(classes)

    def _check(self, network: Network, sums: Tensor) -> None:
        """Raises RuntimeError where the one network does not compute the mixture of the members."""
        outputs = self._outputs([network], "valid")[0][0]
        difference, scale = float((outputs - sums).abs().max()), float(sums.abs().max())
        if difference > CLOSE * (1 + scale):
            raise RuntimeError(f"the joined network differs from the mixture by {difference:g} of {scale:g}")

    def _keep(self, candidate: Candidate[Any], context: Context, plan: Plan, network: Network, mixture: Mixture) -> str:
        """Writes the network as the candidate's trained weights. Returns the checksum of the file's state."""
        folder = context.folder(candidate.id)
        if folder is None:
            raise EnvironmentFailure(f"candidate {candidate.id} keeps a network, but this run keeps no files")
        kept: state.State = {
            "plan": json.dumps(plan.to_json()),
            "signature": json.dumps(self._loaded[2].to_json()),
            "owner": state.Owner(self.equipment.seed, candidate.id, candidate.seed),
            "progress": state.Progress(train_loss=mixture.objective),
            "model": {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()},
            "optimizer": {},
            "optimizer_name": FITTED,
            "stack": [0, 1],
        }
        state.write(folder / WEIGHTS, kept)
        return state.checksum(kept)

    @cached_property
    def _loaded(self) -> tuple[Resident, str, Signature]:
        """The data on the device, its fingerprint, and what it means to networks."""
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        prepare = partial(own.dataset.prepare, own.seed)
        with reading_data():
            splits = shared(self._file, prepare)
            return Resident(splits, device, own.dataset.memory), splits.fingerprint, signature_of(splits)


@torch.no_grad()
def merged(plan: Plan, members: Sequence[Network], weights: Sequence[float]) -> Network:
    """The network of a joined plan with the members' weights, each member's last layer multiplied by its weight.

    Raises RuntimeError where a member does not end in a linear layer, or the plan is not that of the members together.
    """
    values: list[Tensor] = []
    for member, weight in zip(members, weights, strict=True):
        last = f"layers.{member.plan.output}_linear."
        own = member.state_dict()
        if not any(name.startswith(last) for name in own):
            raise RuntimeError(f"a member ends in {member.plan.nodes[member.plan.output].op}, not in a linear layer")
        values += [value * weight if name.startswith(last) else value for name, value in own.items()]
    network = Network(plan, torch.Generator())
    names = list(network.state_dict())
    if len(names) != len(values):
        raise RuntimeError(f"the joined network has {len(names)} tensors, its members have {len(values)}")
    network.load_state_dict(dict(zip(names, values, strict=True)))
    return network.eval().to(values[0].device)


def _wish(candidate: Candidate[Any]) -> Wish:
    """The candidate's options. Raises UsageError for others than those of the job."""
    options: Any = candidate.proposal.options
    known = isinstance(options, Mapping) and set(options) == {"members", "penalties", "steps"}
    if not known or len(options["members"]) != len(options["penalties"]):
        raise UsageError(
            f"candidate {candidate.id} has the options {options}; the job ensemble takes members, a penalty for each, "
            "and steps"
        )
    return Wish(options["members"], options["penalties"], options["steps"])
