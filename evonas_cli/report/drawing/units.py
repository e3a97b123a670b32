"""What the axes of pictures are called: metrics with their units and the direction that is better."""

from __future__ import annotations

from evonas_cli.report.drawing.svg import cut

UNITS = {
    "valid_error": "share of examples",
    "test_error": "share of examples",
    "true_error": "1 - fitness",
    "valid_accuracy": "share of examples",
    "valid_balanced_error": "1 - mean recall",
    "parameters": "number",
    "multiply_adds": "per sample",
    "cost": "unit of the job",
    "train_seconds": "s",
    "depth": "layers",
    "epochs": "number",
    "updates": "number",
    "links": "number",
    "hidden": "neurons",
    "valid_labels_skipped": "labels",
    "valid_f1": "0 to 1",
    "valid_auroc": "0 to 1",
    "valid_map50": "0 to 1",
    "valid_mean_iou": "0 to 1",
    "valid_r2": "at most 1",
    "valid_mae": "unit of the targets",
    "valid_mmd": "squared discrepancy",
    "valid_perplexity": "tokens",
    "valid_relative": "1 is the baseline",
    "valid_token_accuracy": "share of words",
    "fitness_loss": "loss and penalty",
    "return": "sum of rewards",
    "solved": "share of episodes",
    "model_bytes": "bytes",
}
"""The units of known metrics, which stand behind their names; that of a loss depends on the task (`report.subject`)."""
BETTER = {"min": "lower is better", "max": "higher is better"}


def on_log(title: str) -> str:
    """The title of a logarithmic axis: `cost (unit of the job, log scale)`."""
    return f"{title[:-1]}, log scale)" if title.endswith(")") else f"{title} (log scale)"


def axis_title(metric: str, direction: str | None = None, of: str = "") -> str:
    """`valid_error (share of examples, lower is better)`; of an unknown metric the name alone.

    `of`, which takes the place of the known unit, says what the metric is of, such as a device: `latency_ms (pixel3,
    lower is better)`.
    """
    words = [cut(of, 30) or UNITS.get(metric, ""), BETTER.get(direction or "", "")]
    more = ", ".join(word for word in words if word)
    return f"{cut(metric, 30)} ({more})" if more else cut(metric, 30)
