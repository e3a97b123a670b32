"""What a process for each objective believes of a list of genomes, while some of them count as told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evonas_cli.surrogates.distances import Distance
from evonas_cli.surrogates.gaussian_process import Array, GaussianProcess, Posterior


@dataclass(frozen=True)
class Fantasies:
    """`points` has the predicted losses of all that was told or counts as told, (n, objectives)."""

    distance: Distance[Any]
    genomes: Sequence[Any]
    posteriors: tuple[Posterior, ...]
    points: Array

    @classmethod
    def of(
        cls, distance: Distance[Any], processes: Sequence[GaussianProcess], told: Sequence[Any], genomes: Sequence[Any]
    ) -> Fantasies:
        """Before any of the genomes counts as told."""
        apart = distance.between(told, genomes)
        posteriors = tuple([process.posterior(apart) for process in processes])
        return cls(distance, genomes, posteriors, np.stack([process.smoothed for process in processes], axis=1))

    @property
    def means(self) -> Array:
        """(genomes, objectives)."""
        return np.stack([posterior.mean for posterior in self.posteriors], axis=1)

    @property
    def deviations(self) -> Array:
        """(genomes, objectives)."""
        return np.stack([posterior.deviation for posterior in self.posteriors], axis=1)

    def covariance(self) -> Array:
        """(genomes, genomes), of the first objective."""
        return self.posteriors[0].covariance(self.distance.between(self.genomes, self.genomes))

    def believing(self, index: int) -> Fantasies:
        """As if a genome's means had been told as its losses."""
        apart = self.distance.between([self.genomes[index]], self.genomes)[0]
        posteriors = tuple([posterior.believing(index, apart) for posterior in self.posteriors])
        points = np.vstack([self.points, self.means[index]])
        return replace(self, posteriors=posteriors, points=points)
