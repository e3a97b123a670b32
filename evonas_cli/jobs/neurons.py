"""The job that evaluates graphs of single neurons on vectors, with evolved weights or with trained ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Candidate, Json, Metric, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Neural
from evonas_cli.jobs.stacks import parts
from evonas_cli.network.deployment import Deployment
from evonas_cli.network.neurons import Neurons, ends
from evonas_cli.network.plane import Plane
from evonas_cli.network.task import Task
from evonas_cli.training.neurons.equipment import NeuralEquipment
from evonas_cli.training.neurons.settings import Descent, Penalty

if TYPE_CHECKING:
    from evonas_cli.training.candidates.neurons_bench import NeuronsBench

DESCRIPTORS = ("outputs",)
WIDEST = {"cpu": 128, "cuda": 1024}
"""Candidates of one program, by type of device."""
LOWER, HIGHER = Metric("min"), Metric("max")


class TrainNeurons:
    """Evaluates the graphs of an ask as one program.

    `weights`, `fitness`, `standardise` and `test` as for `NeuralEquipment`, `penalty` and `penalty_form` as for
    `Penalty`, all others as for `Descent`. The outputs' values are logits: two classes have one output, whose sigmoid
    is the probability of class 1, and more classes have one each, whose softmax is their probabilities. Predicted
    numbers are the values themselves.

    Order and content of batches are a function of the run's seed, so that all candidates see the same ones. Nothing is
    drawn from the candidate's seed. Trained weights come back as the payload {"weights": [...]}, one for each link of
    the graph, so that a strategy can write them into the genome (Lamarckian inheritance). A proposal may have the
    options {"weights": "evolved"}: its weights are not trained.

    With `descriptor` results say what the candidate answers at `probes` examples of the training part, which a stream
    of the run's seed draws: for each one the probability of class 1, or of each of more classes, or the numbers.
    """

    needs: tuple[type, ...] = (Neural,)
    honours = frozenset({"fidelity", "options"})
    static_names: Sequence[str] = ("links", "hidden")

    def __init__(
        self,
        space: Neural[Any],
        dataset: Any,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        weights: str,
        steps: int,
        optimizer: str,
        learning_rate: float,
        batch: int | None,
        weight_decay: float,
        clip: float | None,
        weight_limit: float | None,
        check_every: int | None,
        penalty: float,
        penalty_form: str,
        fitness: str,
        standardise: bool,
        test: bool,
        descriptor: str | None = None,
        probes: int = 16,
    ) -> None:
        if descriptor not in (None, *DESCRIPTORS):
            raise UsageError(f"job.descriptor must be {' or '.join(DESCRIPTORS)} or null; it is {descriptor!r}")
        if not isinstance(dataset, Source):
            name = type(dataset).__name__
            raise UsageError(f"job=neurons reads vectors, which the dataset {name} has not; pass dataset=spirals")
        if dataset.task_kind not in ("classes", "numbers"):
            raise UsageError(f"job=neurons tells classes or numbers, not {dataset.task_kind}; use job=train")
        self.equipment = NeuralEquipment(
            space=space,
            dataset=dataset,
            seed=seed,
            device=device,
            deterministic=deterministic,
            threads=threads,
            weights=weights,
            descent=Descent(
                steps=steps,
                optimizer=optimizer,
                learning_rate=learning_rate,
                batch=batch,
                weight_decay=weight_decay,
                clip=clip,
                weight_limit=weight_limit,
                check_every=check_every,
            ),
            penalty=Penalty(penalty_form, penalty),
            fitness=fitness,
            standardise=standardise,
            test=test,
            probes=None if descriptor is None else probes,
        )
        self.descriptor = () if descriptor is None else tuple([f"probe {number + 1}" for number in range(probes)])

    @property
    def tests(self) -> bool:
        """Whether candidates are measured on the test part."""
        return self.equipment.test

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those of the data's kind, as far as the settings tell how many classes there are."""
        return self._metrics(self.equipment.dataset.known_outputs)

    @property
    def objectives(self) -> tuple[str, ...]:
        """The error, or the loss where numbers are predicted, and the number of links."""
        return "valid_loss" if self.equipment.dataset.task_kind == "numbers" else "valid_error", "links"

    def measured_on(self, environment: Mapping[str, Json]) -> Mapping[str, Metric]:
        """As `metrics`, for the number of classes that the data has."""
        return self._metrics(_task(environment).outputs)

    def foreseen(self) -> Mapping[str, Metric]:
        """As `metrics`, for the number of classes that a look at the data gives."""
        return self._metrics(self.equipment.dataset.looked_up_outputs())

    def _metrics(self, outputs: int | None) -> Mapping[str, Metric]:
        classes = self.equipment.dataset.task_kind == "classes"
        found = {"valid_error": LOWER} if classes else {}
        found |= dict.fromkeys(
            ("valid_loss", "train_loss", "fitness_loss", "links", "hidden", "updates", "cost"), LOWER
        )
        found |= {"squared_fitness": HIGHER} if classes and outputs in (None, 2) else {}
        tested = [name.replace("valid", "test", 1) for name in found if name.startswith("valid")]
        found |= dict.fromkeys(tested if self.tests else [], Metric("min", test=True))
        return found | {"train_seconds": Metric("min", measured=True)}

    def open(self, place: Place) -> NeuronsBench:
        """The bench, which prepares the data when it is first asked, or takes it out of the file of the place."""
        from evonas_cli.training.candidates.neurons_bench import NeuronsBench

        return NeuronsBench(self.equipment.at(place), place.file, place.halt)

    def check_there(self) -> None:
        """As the data set's."""
        self.equipment.dataset.check_there()

    def plane(self, neurons: Neurons, side: int) -> Plane:
        """As `network.plane.Charting`."""
        from evonas_cli.training.neurons.plane import plane

        return plane(self.equipment, neurons, side)

    def deployment(self, neurons: Neurons) -> Deployment:
        """As `network.deployment.Deploying`."""
        from evonas_cli.training.neurons.deployment import deployment

        return deployment(self.equipment, neurons)

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """Links and hidden nodes; None where the genome has no graph."""
        neurons = self._decoded(genome, environment)
        if neurons is None:
            return None
        return {"links": float(neurons.parameters), "hidden": float(neurons.n_hidden)}

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """Parts of nearly equal size; on CPUs at least two of four candidates or more, so that two cores have work."""
        device = str(environment["device"])
        found = parts(asked, WIDEST.get(device, WIDEST["cpu"]), spread=device != "cuda")
        return [Unit(tuple(part), len(part), tuple(range(len(part)))) for part in found]

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """Links times updates; None for a genome without a graph."""
        graphs = [self._decoded(candidate.proposal.genome, environment) for candidate in unit.candidates]
        if any(graph is None for graph in graphs):
            return None
        pairs = zip(graphs, unit.candidates, strict=True)
        return float(sum(graph.parameters * (1 + self.equipment.updates(one)) for graph, one in pairs if graph))

    def _decoded(self, genome: Any, environment: Mapping[str, Json]) -> Neurons | None:
        try:
            return self.equipment.space.decode_neurons(genome, *ends(_task(environment)))
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None


def _task(environment: Mapping[str, Json]) -> Task:
    return Task.from_json(environment["task"])
