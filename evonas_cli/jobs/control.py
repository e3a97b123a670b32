"""The job that evaluates graphs of single neurons as policies in an environment of gymnasium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Candidate, Json, Metric, Unit
from evonas_cli.genomes.capabilities import Neural
from evonas_cli.jobs.stacks import parts
from evonas_cli.network.deployment import Deployment, deployed
from evonas_cli.network.neurons import Neurons, ends
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task
from evonas_cli.training.control.simulation import Simulation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evonas_cli.training.candidates.control_bench import ControlBench

DESCRIPTORS = {"end": ("last observation", "return"), "seen": ("mean observation", "return")}
"""Of each descriptor the names of its numbers; an observation stands for all of its own."""
WIDEST = 128
"""Candidates of one program."""


class Control:
    """Plays episodes with the candidates of an ask in step.

    A policy has one output for each action, and takes the action with the largest one. `environment`, `episodes`,
    `steps` and `threshold` as for `Simulation`. Episode k of every candidate starts from a seed that is a function of
    the run's seed and k. Nothing is drawn from the candidate's seed.

    Metrics: `return`, the mean over the episodes of the sum of rewards; `solved`, the share of episodes that reach the
    threshold; `links` and `hidden` of the graph; `cost`, the steps of all episodes. Environments are stepped on the
    CPU, and so the outputs are computed there. Raises UsageError for `device=cuda`.

    With `descriptor` results say what a policy brings about: `end`, the mean over the episodes of the last observation,
    or `seen`, the mean of the observations after all steps; and with either the return in units of the threshold's
    size.
    """

    needs: tuple[type, ...] = (Neural,)
    metrics: Mapping[str, Metric] = {
        **{"return": Metric("max"), "solved": Metric("max")},
        **{"links": Metric("min"), "hidden": Metric("min"), "cost": Metric("min")},
    }
    static_names: Sequence[str] = ("links", "hidden")

    def __init__(
        self,
        space: Neural[Any],
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        environment: str,
        episodes: int,
        steps: int | None,
        threshold: float | None,
        descriptor: str | None = None,
    ) -> None:
        if device.startswith("cuda"):
            raise UsageError(f"job=control computes on the CPU, where environments are; device={device} must be cpu")
        if descriptor is not None and descriptor not in DESCRIPTORS:
            raise UsageError(f"job.descriptor must be {' or '.join(DESCRIPTORS)} or null; it is {descriptor!r}")
        self.space, self._deterministic, self._threads = space, deterministic, threads
        self._described_by = descriptor
        self.descriptor: Sequence[str] = () if descriptor is None else DESCRIPTORS[descriptor]
        self.simulation = Simulation(
            environment=environment, episodes=episodes, steps=steps, threshold=threshold, seed=seed
        )

    def open(self, place: Place) -> ControlBench:
        """The bench, on the CPU whatever the place."""
        from evonas_cli.training.candidates.control_bench import ControlBench

        return ControlBench(self.space, self.simulation, self._deterministic, self._threads, self._described_by)

    def check_there(self) -> None:
        """Raises UsageError where gymnasium is missing, and for an environment in which policies cannot act."""
        self.simulation.interface()

    def task_ahead(self) -> Json:
        """That of the environment, which is made for it. Raises as `check_there`."""
        return self.simulation.interface().task.to_json()

    def deployment(self, neurons: Neurons) -> Deployment:
        """As `network.deployment.Deploying`: a score for each action, from observations as the environment has them."""
        interface = self.simulation.interface()
        names = tuple([str(interface.first_action + place) for place in range(interface.actions)])
        still = ((0.0,) * interface.observations, (1.0,) * interface.observations)
        about = {"form": "arrays", "bytes": False, "environment": self.simulation.environment}
        task = replace(interface.task, kind="actions")
        return deployed(neurons, Signature(task, *still, names=names, preparation=about))

    def answered(self, neurons: Neurons) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `network.deployment.Acting`."""
        from evonas_cli.training.control.recording import answered

        return answered(neurons, self.simulation)

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """Links and hidden nodes; None where the genome has no graph."""
        try:
            policy = self.space.decode_neurons(genome, *ends(Task.from_json(environment["task"])))
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None
        return {"links": float(policy.parameters), "hidden": float(policy.n_hidden)}

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """Parts of nearly equal size, at least two of four candidates or more, so that two cores have work."""
        found = parts(asked, WIDEST, spread=True)
        return [Unit(tuple(part), len(part), tuple(range(len(part)))) for part in found]
