"""What the tests of trainings on vectors, series and token ids share: small data sets that can be learned."""

from __future__ import annotations

import numpy as np
import torch

from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits
from evonas_cli.network.task import Kind, Task


def resident(kind: Kind, shape: tuple[int, ...], vocabulary: int = 0, n: int = 128) -> Resident:
    """Inputs whose sum over everything but the first dimension says what their class, labels or numbers are; token ids
    count how often they are 1."""
    rng = np.random.default_rng(0)
    if vocabulary:
        x = rng.integers(1, vocabulary, (n + 64, *shape))
        x[::3, shape[0] // 2 :] = 0
        signal = (x == 1).sum(1, keepdims=True) - 1.5
    else:
        x = rng.normal(0.2, 1, (n + 64, *shape)).astype(np.float32)
        signal = x.reshape(n + 64, shape[0], -1).mean(2)[:, :2]
    labels = (signal > 0).astype(np.float32)
    targets = {"classes": labels[:, 0].astype(np.int64), "labels": labels, "numbers": signal.astype(np.float32)}[kind]
    outputs = 2 if kind == "classes" else targets.shape[1]
    if vocabulary:
        mean = std = ()
    else:
        mean, std = np.zeros(shape[0]), np.ones(shape[0])
    return Resident(
        Splits(
            x_train=x[:n],
            y_train=targets[:n],
            x_valid=x[n:],
            y_valid=targets[n:],
            mean=mean,
            std=std,
            task=Task(shape, outputs, kind, vocabulary),
            augmentation=Augmentation(),
            fingerprint="",
            target_std=np.ones(outputs),
        ),
        torch.device("cpu"),
    )
