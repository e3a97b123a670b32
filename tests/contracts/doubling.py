"""Jobs that double numbers, and what the tests of evaluators share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas_cli.config.build import build
from evonas_cli.config.folders import options
from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Failure, Json, Metric, Proposal, Result, Unit
from evonas_cli.store.directory import RunDirectory


class Doubling:
    """Doubles numbers; a negative number says what shall happen instead."""

    needs: tuple[type, ...] = ()
    metrics = {"double": Metric("min")}

    def environment(self) -> dict[str, Json]:
        return {"device": "none"}

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        for candidate in candidates:
            number = candidate.proposal.genome
            folder = context.folder(candidate.id)
            assert folder is not None
            if number == -1:
                yield Result(candidate.id, "failed", {}, None, Failure("error", "a bad number"))
                continue
            if number == -2 and not (folder / "tried").exists():
                folder.mkdir(parents=True)
                (folder / "tried").touch()
                os._exit(9)
            if number == -3:
                os._exit(9)
            if number == -4:
                time.sleep(60)
            if number == -5:
                raise EnvironmentFailure("the disk is full")
            yield Result(candidate.id, "ok", {"double": 2.0 * number})


class Pairing(Doubling):
    """Two neighbours at a time are evaluated together."""

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        assert environment == {"device": "none"}
        pairs = [tuple(asked[start : start + 2]) for start in range(0, len(asked), 2)]
        return [Unit(pair, 2, tuple(range(len(pair)))) for pair in pairs]

    def together(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        for result, place in zip(self(unit.candidates, context), unit.places, strict=True):
            yield replace(result, labels={"stack": f"{place}/{unit.width}"})


def candidate(id: int, number: int) -> Candidate[int]:
    return Candidate(id, id, 0, Proposal(number))


def alone(*candidates: Candidate[Any]) -> list[Unit[Any]]:
    return [Unit((candidate,)) for candidate in candidates]


def make(name: str, tmp_path: Path, recipe: Any = Doubling, **settings: Any) -> Any:
    from omegaconf import OmegaConf

    node: Any = OmegaConf.to_container(OmegaConf.load(options("evaluator")[name]))
    if "workers" in node:
        node["workers"] = 2
    return build({**node, **settings}, "evaluator", recipe=recipe, context=RunDirectory(tmp_path), device="cpu")


def collect(evaluator: Any, count: int) -> list[Result]:
    results: list[Result] = []
    while len(results) < count:
        arrived = evaluator.collect()
        assert arrived
        results += arrived
    return sorted(results, key=lambda result: result.id)
