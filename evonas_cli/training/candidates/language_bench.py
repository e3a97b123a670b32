"""One candidate's language model from genome to metrics, and what each kind of error means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import exp
from typing import Any

import torch

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Recurrent
from evonas_cli.nn.recurrent import LanguageModel
from evonas_cli.training.candidates.attempt import attempt
from evonas_cli.training.candidates.language import Reading, fit
from evonas_cli.training.candidates.language_settings import LanguageSettings
from evonas_cli.training.device.errors import one_line
from evonas_cli.training.device.setup import device_name, resolve
from evonas_cli.training.loop import Diverged

LARGEST_LOSS = 700.0
"""Nats a token: beyond, the perplexity is no number that a computer holds."""


@dataclass(frozen=True)
class _Loaded:
    train: Reading
    valid: Reading
    tokens: int
    fingerprint: str
    device: torch.device


class LanguageBench:
    """The corpus on its device, and the training of one candidate after the other on it."""

    def __init__(
        self,
        space: Recurrent[Any],
        dataset: SequenceDataset,
        settings: LanguageSettings,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
    ) -> None:
        self.space, self.dataset, self.settings, self.seed = space, dataset, settings, seed
        self.device, self.deterministic, self.threads = device, deterministic, threads

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the number of tokens, and a digest of the data."""
        return {
            "device": self._loaded.device.type,
            "device_name": device_name(self._loaded.device),
            "torch": torch.__version__,
            "threads": self.threads,
            "task": {"tokens": self._loaded.tokens},
            "data": self._loaded.fingerprint,
        }

    def evaluate(self, candidate: Candidate[Any], context: Context) -> Result:
        """The candidate's result."""
        if candidate.proposal.continues is not None or candidate.proposal.options is not None:
            raise UsageError("this strategy hands trained weights or options on, which job=language does not take")
        return attempt(candidate, context, lambda labels: self._train(candidate))

    @cached_property
    def _loaded(self) -> _Loaded:
        device = resolve(self.device, self.deterministic, self.threads)
        if device.index is not None:
            torch.cuda.set_device(device)
        try:
            corpus = self.dataset.corpus(self.seed)
        except OSError as error:
            raise EnvironmentFailure(f"the data cannot be read: {one_line(error)}") from error
        train, valid = Reading(corpus.train, device), Reading(corpus.valid, device)
        return _Loaded(train, valid, len(corpus.vocabulary), corpus.fingerprint, device)

    def _train(self, candidate: Candidate[Any]) -> dict[str, float]:
        """The metrics. Raises Diverged."""
        data, settings = self._loaded, self.settings
        cell = self.space.decode_cell(candidate.proposal.genome)
        generator = torch.Generator().manual_seed(candidate.seed)
        model = LanguageModel(cell, data.tokens, settings.hidden, settings.dropout, generator).to(data.device)
        steps = max(1, round(settings.steps * candidate.proposal.fidelity))
        measured = fit(model, data.train, data.valid, settings, self.seed, steps)
        if measured["valid_loss"] > LARGEST_LOSS:
            raise Diverged(f"the validation loss is {measured['valid_loss']:.4g}, whose perplexity is no number")
        return {
            **measured,
            "valid_perplexity": exp(measured["valid_loss"]),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "multiply_adds": model.multiply_adds,
        }
