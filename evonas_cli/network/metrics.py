"""The metrics that a training measures for each kind of task, with the direction that is better; without torch."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.core.types import Metric
from evonas_cli.network.task import Kind

LOWER, HIGHER = Metric("min"), Metric("max")

METRICS: Mapping[Kind, Mapping[str, Metric]] = {
    "classes": {
        "valid_error": LOWER,
        "valid_loss": LOWER,
        "valid_accuracy": HIGHER,
        "valid_balanced_error": LOWER,
        "valid_f1": HIGHER,
    },
    "labels": {
        "valid_auroc": HIGHER,
        "valid_f1": HIGHER,
        "valid_loss": LOWER,
        "valid_labels_skipped": LOWER,
    },
    "numbers": {"valid_loss": LOWER, "valid_mae": LOWER, "valid_r2": HIGHER},
    "tokens": {"valid_perplexity": LOWER, "valid_loss": LOWER, "valid_error": LOWER},
}
"""`valid_balanced_error` is 1 less the mean recall of the classes, `valid_f1` the mean F1 of the classes or labels,
`valid_auroc` the mean area under the receiver operating characteristic. Labels of which the part has one value only are
left out of the last two and counted in `valid_labels_skipped`. `valid_loss` is in nats an example, for numbers the mean
squared error of the standardised targets; `valid_mae` and `valid_r2` are in the unit of the targets."""

OBJECTIVES: Mapping[Kind, str] = {
    "classes": "valid_error",
    "labels": "valid_auroc",
    "numbers": "valid_loss",
    "tokens": "valid_perplexity",
}
"""What a search optimises when nothing else is asked for."""


def metrics_of(kind: Kind, outputs: int) -> Mapping[str, Metric]:
    """The metrics of a kind of task; two classes have the area under the curve as well."""
    more = {"valid_auroc": HIGHER} if kind == "classes" and outputs == 2 else {}
    return {**METRICS[kind], **more}
