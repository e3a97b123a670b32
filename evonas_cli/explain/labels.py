"""Several labels at once: counts of right and wrong answers for each, and calibration over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas_cli.explain.calibration import Floats, calibration


def labels(scores: Floats, y: Floats) -> dict[str, Any]:
    """Of scores (N, K) and labels (N, K) of 0 and 1, at a threshold of one half:

    counts       for each label how many are rightly and wrongly present (`true_positive`, `false_positive`) and absent
    calibration  of the probabilities that labels are present, as `calibration.calibration` has it
    """
    probabilities, present = 1 / (1 + np.exp(-np.clip(scores, -700, 700))), y > 0.5
    said = scores > 0
    counts = [
        {
            "true_positive": int((said & present)[:, k].sum()),
            "false_positive": int((said & ~present)[:, k].sum()),
            "false_negative": int((~said & present)[:, k].sum()),
            "true_negative": int((~said & ~present)[:, k].sum()),
        }
        for k in range(scores.shape[1])
    ]
    return {"counts": counts, "calibration": calibration(probabilities.ravel(), present.ravel())}
