"""The job that trains a recurrent language model around each candidate's cell and measures its perplexity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Placed
from evonas_cli.core.types import Candidate, Json, Metric, Result
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Recurrent
from evonas_cli.training.candidates.language_settings import LanguageSettings

if TYPE_CHECKING:
    from evonas_cli.training.candidates.language_bench import LanguageBench


class Language:
    """Trains and validates one-layer language models: embedding, the candidate's cell, a linear layer.

    `space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`; the
    other settings as LanguageSettings has them. Batches and dropout depend on the run's seed, initial weights on the
    candidate's. `valid_loss` is in nats a token, `valid_perplexity` its exponential, `valid_error` the share of tokens
    that are not the most probable one; `multiply_adds` are for one token, `cost` is the training's arithmetic in
    billions of multiply-adds, counted. An interrupted candidate starts again. Making the job imports no torch and reads
    no data.
    """

    needs: tuple[type, ...] = (Recurrent,)
    honours = frozenset({"fidelity"})
    metrics: Mapping[str, Metric] = {
        "valid_perplexity": Metric("min"),
        "valid_loss": Metric("min"),
        "valid_error": Metric("min"),
        "train_loss": Metric("min"),
        "parameters": Metric("min"),
        "multiply_adds": Metric("min"),
        "cost": Metric("min"),
        "train_seconds": Metric("min", measured=True),
    }

    def __init__(
        self,
        space: Recurrent[Any],
        dataset: Any,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        hidden: int,
        steps: int,
        batch_size: int,
        unroll: int,
        learning_rate: float,
        clip_norm: float | None,
        dropout: float,
    ) -> None:
        if not isinstance(dataset, SequenceDataset):
            raise UsageError(
                f"job=language reads sequences of tokens, which the dataset {type(dataset).__name__} has not; "
                "pass dataset=copy or dataset=text"
            )
        settings = LanguageSettings(
            hidden=hidden,
            steps=steps,
            batch_size=batch_size,
            unroll=unroll,
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            dropout=dropout,
        )
        self._settings = (space, dataset, settings, seed, device, deterministic, threads)

    @cached_property
    def _bench(self) -> LanguageBench:
        from evonas_cli.training.candidates.language_bench import LanguageBench

        return LanguageBench(*self._settings)

    def check_there(self) -> None:
        """As the data set's, where it has files."""
        dataset = self._settings[1]
        if isinstance(dataset, Placed):
            dataset.check_there()

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, number of tokens, a digest of the data. Raises UsageError, EnvironmentFailure."""
        return self._bench.environment()

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        """A result for each candidate, in order.

        Failures: diverged (a loss is not finite, or the perplexity too large to be a number), oom (after a second try)
        and error, whose traceback goes to the candidate's folder. Raises EnvironmentFailure for disk and device
        errors, UsageError for wrong settings.
        """
        for candidate in candidates:
            yield self._bench.evaluate(candidate, context)
