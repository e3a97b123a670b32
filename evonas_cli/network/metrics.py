"""The metrics that a training measures for each kind of task, with the direction that is better; without torch."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.core.types import Metric
from evonas_cli.network.task import Kind

LOWER, HIGHER = Metric("min"), Metric("max")

OF_TRAININGS: Mapping[str, Metric] = {
    "train_loss": LOWER,
    "parameters": LOWER,
    "multiply_adds": LOWER,
    "epochs": LOWER,
    "cost": LOWER,
    "train_seconds": Metric("min", measured=True),
}
"""The metrics of every training, whatever the task."""
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
    "samples": {"valid_mmd": LOWER, "valid_energy_distance": LOWER, "valid_loss": LOWER},
    "boxes": {"valid_map50": HIGHER, "valid_mean_iou": HIGHER, "valid_loss": LOWER},
    "captions": {
        "valid_relative": HIGHER,
        "valid_bleu1": HIGHER,
        "valid_bleu2": HIGHER,
        "valid_bleu3": HIGHER,
        "valid_bleu4": HIGHER,
        "valid_meteor": HIGHER,
        "valid_cider": HIGHER,
        "valid_token_accuracy": HIGHER,
        "valid_loss": LOWER,
    },
}
"""By kind of task; MEANINGS says what each is."""

OF_NETWORKS: Mapping[str, Metric] = {
    "depth": LOWER,
    "model_bytes": LOWER,
    "latency_ms": Metric("min", measured=True, lasting=True),
    "latency_spread_ms": Metric("min", measured=True, lasting=True),
    "peak_memory_mb": Metric("min", measured=True, lasting=True),
    "energy_j": Metric("min", measured=True, lasting=True),
}
"""What is measured of a network when a run asks for it."""

OBJECTIVES: Mapping[Kind, str] = {
    "classes": "valid_error",
    "labels": "valid_auroc",
    "numbers": "valid_loss",
    "tokens": "valid_perplexity",
    "samples": "valid_mmd",
    "boxes": "valid_map50",
    "captions": "valid_relative",
}
"""What a search optimises when nothing else is asked for."""


def spread_of(name: str) -> str:
    """The metric that is the standard deviation of `name` over the folds of a cross-validation."""
    return f"{name}_sd"


def metrics_of(kind: Kind, outputs: int, tasks: int = 0, rivals: bool = False) -> Mapping[str, Metric]:
    """The metrics of a kind of task; two classes have the area under the curve as well.

    Where one network learns several `tasks` each of them has its error, and with `rivals` that of its challenger.
    """
    more = {"valid_auroc": HIGHER} if kind == "classes" and outputs == 2 and not tasks else {}
    names = ("valid_error", "valid_challenger_error") if rivals else ("valid_error",)
    return {**METRICS[kind], **more, **{of_task(name, task): LOWER for name in names for task in range(tasks)}}


def of_task(name: str, task: int) -> str:
    """What a metric of one of several tasks is called; tasks count from 0, their names from 1."""
    return f"{name}_{task + 1}"


MEANINGS: Mapping[str, str] = {
    "valid_error": "Share, in [0, 1], of the validation part's examples, or tokens, that are classified wrongly. "
    "Tables: 1 - the accuracy in the column job.reward. Landscapes: 1 - the observed fitness.",
    "valid_accuracy": "1 - valid_error.",
    "valid_balanced_error": "1 - the mean recall of the classes over the validation part, in [0, 1].",
    "valid_f1": "Mean F1 of the classes, or labels, over the validation part, in [0, 1]. Labels that have one value "
    "only in it are left out.",
    "valid_auroc": "Area under the receiver operating characteristic over the validation part, in [0, 1]; with several "
    "labels their mean. Labels that have one value only in it are left out.",
    "valid_labels_skipped": "Number of labels that have one value only in the validation part.",
    "valid_loss": "Mean loss over the validation part: cross-entropy in nats an example, label or token; with numbers "
    "the mean squared error of the standardised targets; with boxes the focal loss and 1 - generalised IoU, a box. "
    "Diffusion: the mean squared error of the noise, in [0, inf), which is not comparable between noise schedules.",
    "valid_mae": "Mean absolute error over the validation part, in the unit of the targets.",
    "valid_r2": "Coefficient of determination over the validation part, at most 1; with several targets their mean.",
    "valid_perplexity": "Exponential of valid_loss, at least 1: the number of tokens that would be as hard to tell.",
    "valid_mmd": "Squared maximum mean discrepancy between job.samples samples and held-out examples (Gretton et al., "
    "2012): 0 on average where both have one distribution, so that a single value may be a little below 0; at most 2.",
    "valid_energy_distance": "Energy distance between the same (Szekely and Rizzo, 2013), in standardised features or "
    "channels; 0 on average where both have one distribution.",
    "sample_multiply_adds": "Number of multiply-adds for one sample of a diffusion: those of the network, times steps.",
    "valid_map50": "Mean average precision of the classes that the validation part has, in [0, 1]: the area under the "
    "curve of precision, made monotone, over recall. A detection is right where its IoU with a box of its class that "
    "no surer one has found is at least 0.5.",
    "valid_mean_iou": "Mean over the boxes of the validation part of the IoU, in [0, 1], with the best of the image's "
    "detections, whatever their class. An image with n boxes has its n surest detections.",
    "valid_relative": "Mean over job.scores of a score as a multiple of the baseline's, at least 0; 1 is the baseline.",
    **{
        f"valid_bleu{n}": f"BLEU-{n} of the captions of the validation part (Papineni et al., 2002), in [0, 1], not "
        "smoothed."
        for n in range(1, 5)
    },
    "valid_meteor": "Mean METEOR of the captions (Banerjee and Lavie, 2005), in [0, 1), where equal words alone match.",
    "valid_cider": "Mean CIDEr of the captions (Vedantam et al., 2015), in [0, 1], as in the paper, without stems.",
    "valid_token_accuracy": "Mean over the captions of the share of places, in [0, 1], that have the word of the "
    "reference that agrees most.",
    "train_loss": "Mean loss over the last epoch's training batches, with label smoothing and class weights. Neurons: "
    "over the training part, under the final weights.",
    "parameters": "Number of the network's parameters.",
    "score": "Zero-cost score of the untrained network (job=zero_cost).",
    "multiply_adds": "Number of multiply-adds for one example, or one token.",
    "depth": "Number of layers with weights on the longest path through the network.",
    "model_bytes": "Bytes of the network's parameters and buffers, 4 for each number.",
    "latency_ms": "Milliseconds of one forward pass, at least 0: the median of job.latency_repeats passes of a batch "
    "of job.latency_batch examples, in evaluation mode and float32 on the run's device; or a column of "
    "job.latency_table.",
    "latency_spread_ms": "Interquartile range of the passes of latency_ms, at least 0; not from a table.",
    "peak_memory_mb": "Megabytes (10^6 bytes), above 0, that one training step of the candidate's own network holds at "
    "most: weights, gradients, the optimiser's memory, the batch and all maps in between.",
    "energy_j": "Joules for one example of inference, above 0: the energy of the whole device over at least a second "
    "of passes, by its examples. Needs an NVIDIA device and evonas[energy], or a readable RAPL counter.",
    "reward": "What the root key scalarize makes of other metrics.",
    "epochs": "Number of epochs that were trained.",
    "updates": "Number of updates of the weights, those that were taken back included.",
    "links": "Number of links between neurons; each has a weight.",
    "hidden": "Number of neurons that are no outputs.",
    "fitness_loss": "The loss over the part that job.fitness names, and what job.penalty adds for the links.",
    "squared_fitness": "(n - sum of |target - probability|)^2 over the n examples of the training part, for two "
    "classes: for the four corners of XOR the fitness of NEAT, from 0 to 16.",
    "return": "Mean over the episodes of a policy of the sum of rewards, in the environment's own unit.",
    "solved": "Share, in [0, 1], of the episodes whose sum of rewards is at least job.threshold, or else the "
    "environment's own threshold.",
    "valid_error_sd": "Standard deviation of valid_error over the folds of job.folds.",
    "valid_auroc_sd": "Standard deviation of valid_auroc over the folds of job.folds.",
    "valid_loss_sd": "Standard deviation of valid_loss over the folds of job.folds.",
    "cost": "What budget.cost counts. Trainings: billions of multiply-adds. Tables: the cost column. Landscapes: 1. "
    "Policies: steps of all episodes. Inner searches: their evaluations.",
    "loss": "Mean, or quantile, over inner searches of the loss of the best candidate that each found. A metric where "
    "more is better counts negative.",
    "loss_sd": "Standard deviation of that loss over the inner searches of one candidate.",
    "train_seconds": "Seconds that the training took.",
    "true_error": "1 - the true fitness of a landscape, without noise, in [0, 1].",
    "test_error": "As valid_error, over the test part. Tables: 1 - the accuracy in the column job.report. It is never "
    "an objective.",
    "test_loss": "As valid_loss, over the test part; never an objective.",
}
"""What each metric of evonas' own jobs is, with its unit and range."""


def meaning(name: str) -> str:
    """What a metric is; "" for one that only a user's own job knows.

    `train_eval_x` is `valid_x` of the training part, and so is `test_x` of the test part.
    """
    if name.startswith("train_eval_") and f"valid_{name.removeprefix('train_eval_')}" in MEANINGS:
        other = f"valid_{name.removeprefix('train_eval_')}"
        return f"As {other}, over the training part in evaluation mode; with trainer.measure_train=true."
    other = f"valid_{name.removeprefix('test_')}"
    if name.startswith("test_") and name not in MEANINGS and other in MEANINGS:
        return f"As {other}, over the test part; never an objective."
    general, _, task = name.rpartition("_")
    if task.isdecimal() and general == "valid_challenger_error":
        return f"As valid_error, of task {task} alone, by its challenger; with space=cmtr."
    if task.isdecimal() and general in MEANINGS:
        return f"As {general}, of task {task} alone; with dataset=tasks."
    return MEANINGS.get(name, "")
