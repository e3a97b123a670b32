"""From the genomes of a unit to graphs of neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.types import Candidate, Failure, Result
from evonas_cli.genomes.capabilities import Neural
from evonas_cli.network.neurons import Neurons
from evonas_cli.training.device.errors import one_line

Able = list[tuple[Candidate[Any], Neurons]]
"""Candidates with their graphs."""


def decoded(
    space: Neural[Any], candidates: Sequence[Candidate[Any]], n_inputs: int, n_outputs: int
) -> tuple[Able, list[Result]]:
    """The candidates that have a graph of so many inputs and outputs, and the failures of the others: unbuildable."""
    able: Able = []
    failed = []
    for candidate in candidates:
        try:
            able.append((candidate, space.decode_neurons(candidate.proposal.genome, n_inputs, n_outputs)))
        except EvonasError:
            raise
        except Exception as error:  # whatever the space raises is what is wrong with this genome
            failure = Failure("unbuildable", one_line(error) or type(error).__name__)
            failed.append(Result(candidate.id, "failed", error=failure))
    return able, failed
