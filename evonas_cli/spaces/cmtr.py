"""Routes of several tasks through shared modules (Liang, Meyerson and Miikkulainen, Evolutionary Architecture Search
for Deep Multitask Networks, GECCO 2018).

Each task has a champion, a directed acyclic graph whose nodes are shared modules, and may have a challenger, which is
trained beside it. A node reads the weighted sum of earlier values; the softmax of learned weights makes the shares. The
smallest route is a single module. Other than in the paper, all tasks share the encoder, and modules are one layer with
a function that is searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.morphing import Morphed
from evonas_cli.genomes.shared_modules import module_choices
from evonas_cli.network.plan import PlanError
from evonas_cli.network.routes import Route, challenger, written
from evonas_cli.network.shared_modules import SHARED_NODE, shared_plan
from evonas_cli.network.task import Phenotype, Task

Routes = tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Multitask:
    """The functions of the modules, and a route for each task; `challengers` are () or a further route for each."""

    modules: Genes
    champions: Routes
    challengers: Routes = ()


class Cmtr:
    """Routes of `tasks` tasks through `modules` shared modules, for vectors, series and images.

    `layer` is dense (inputs are flattened) or conv, with kernels of `kernel` x `kernel`; `width` counts features or
    channels. A route has `nodes` nodes at most. A data set that is one task has the route of the first one. Raises
    UsageError for settings that are no such things.
    """

    def __init__(
        self,
        tasks: int = 4,
        modules: int = 4,
        functions: Sequence[str] = ("relu", "gelu", "tanh"),
        nodes: int = 8,
        width: int = 64,
        layer: str = "dense",
        kernel: int = 3,
    ) -> None:
        for key, value in (("tasks", tasks), ("nodes", nodes), ("width", width)):
            if type(value) is not int or value < 1:
                raise UsageError(f"space.{key} must be a whole number of at least 1; it is {value!r}")
        self._loci: Sequence[Choice] = module_choices(modules, functions, layer, kernel)
        self._tasks, self._nodes, self._width, self._layer, self._kernel = tasks, nodes, width, layer, kernel

    @property
    def tasks(self) -> int:
        """As Routing.tasks."""
        return self._tasks

    def sample(self, rng: Random) -> Multitask:
        """Random modules; each champion has had 0 to `nodes` - 1 mutations. No challengers."""
        genome = self._founded(choices.sample(self._loci, rng), rng)
        return replace(genome, champions=tuple([self._grown(route, rng) for route in genome.champions]))

    def mutate(self, genome: Multitask, rng: Random) -> Multitask:
        """One of the modules has another function, or one of the champions is mutated."""
        champions, place = list(genome.champions), rng.randrange(len(genome.modules) + len(genome.champions))
        if place < len(genome.modules) and len(self._loci[place].options) > 1:
            return replace(genome, modules=choices.redraw(self._loci, genome.modules, place, rng))
        task = place % len(champions)
        champions[task] = self._mutant(champions[task], rng)[0]
        return replace(genome, champions=tuple(champions))

    def founder(self, rng: Random) -> Multitask:
        """As Routing.founder."""
        return self._challenged(self._founded(choices.sample(self._loci, rng), rng), rng)

    def varied(self, parents: Sequence[Multitask], rng: Random) -> Multitask:
        """As Routing.varied: one of the modules has another function."""
        modules = tuple([rng.choice(parents).modules[place] for place in range(len(self._loci))])
        modules = choices.redraw(self._loci, modules, rng.randrange(len(modules)), rng)
        return self._challenged(self._founded(modules, rng), rng)

    def challenged(self, genome: Multitask, wins: Sequence[bool], rng: Random) -> Morphed[Multitask]:
        """As Routing.challenged."""
        champions = _winners(genome, wins)
        mutants = [self._mutant(route, rng) for route in champions]
        child = Multitask(genome.modules, champions, tuple([route for route, _ in mutants]))
        return Morphed(child, (_morph(child, [f"{won:d}:{new}" for won, (_, new) in zip(wins, mutants, strict=True)]),))

    def settled(self, genome: Multitask, wins: Sequence[bool]) -> Morphed[Multitask]:
        """As Routing.settled."""
        child = Multitask(genome.modules, _winners(genome, wins))
        return Morphed(child, (_morph(child, [f"{won:d}:0" for won in wins]),))

    def decode(self, genome: Multitask, task: Task) -> Phenotype:
        """The network. Raises PlanError for more tasks than there are routes, token ids, and maps that are none."""
        count = max(1, len(task.members))
        if count > self._tasks:
            raise PlanError(f"cmtr has routes for {self._tasks} tasks, the data {count}; set space.tasks={count}")
        rivals = genome.challengers[:count]
        return Phenotype(
            shared_plan(
                *("cmtr", task, self._layer, self._width, "task_routes", list(map(str, genome.modules))),
                kernel=self._kernel,
                routes=written((*genome.champions[:count], *rivals)),
                rivals=int(bool(rivals)),
            )
        )

    def to_json(self, genome: Multitask) -> Json:
        """The functions of the modules, and routes as text: "0<0 2<0+1 out<1+2" (network/routes.py)."""
        return {
            "modules": list(genome.modules),
            "champions": list(map(str, genome.champions)),
            "challengers": list(map(str, genome.challengers)),
        }

    def from_json(self, data: Json) -> Multitask:
        """The inverse of `to_json`. Raises ValueError for what is no genome of this space."""
        if not isinstance(data, Mapping) or set(data) != {"modules", "champions", "challengers"}:
            raise ValueError("a genome here is an object with modules, champions and challengers")
        champions, challengers = [self._routes(data[key], key) for key in ("champions", "challengers")]
        if len(champions) != self._tasks or len(challengers) not in (0, self._tasks):
            raise ValueError(f"a genome here has {self._tasks} champions, and as many challengers or none")
        return Multitask(choices.parse(self._loci, data["modules"]), champions, challengers)

    def _routes(self, data: Json, key: str) -> Routes:
        if not isinstance(data, list | tuple) or not all(isinstance(one, str) for one in data):
            raise ValueError(f"{key} must be a list of routes such as '0<0 out<1'")
        routes = tuple([Route.parse(str(one)) for one in data])
        for route in routes:
            if max(route.modules) >= len(self._loci) or len(route.modules) > self._nodes:
                raise ValueError(f"{key}: {route} has more than {self._nodes} nodes, or a module that is not there")
        return routes

    def _founded(self, modules: Genes, rng: Random) -> Multitask:
        """Each champion is a single random module."""
        routes = [Route((rng.randrange(len(modules)),), ((0,), (1,))) for _ in range(self._tasks)]
        return Multitask(modules, tuple(routes))

    def _challenged(self, genome: Multitask, rng: Random) -> Multitask:
        return replace(genome, challengers=tuple([self._mutant(route, rng)[0] for route in genome.champions]))

    def _grown(self, route: Route, rng: Random) -> Route:
        for _ in range(rng.randrange(self._nodes)):
            route = self._mutant(route, rng)[0]
        return route

    def _mutant(self, route: Route, rng: Random) -> tuple[Route, int]:
        return challenger(route, len(self._loci), self._nodes, rng)


def _winners(genome: Multitask, wins: Sequence[bool]) -> Routes:
    if not genome.challengers:
        return genome.champions
    pairs = zip(genome.champions, genome.challengers, wins, strict=True)
    return tuple([rival if won else champion for champion, rival, won in pairs])


def _morph(child: Multitask, made: Sequence[str]) -> dict[str, Json]:
    """The morph that makes the network of the child (network/morphs/challenge.py)."""
    rivals = int(bool(child.challengers))
    routes = written((*child.champions, *child.challengers))
    return {"morph": "challenge", "at": SHARED_NODE, "routes": routes, "rivals": rivals, "made": " ".join(made)}
