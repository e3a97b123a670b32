"""The covariance of the input Jacobians of a batch (Mellor, Turner, Storkey and Crowley, 2020: the first version of
"Neural Architecture Search without Training", section 3).

Row n of J is the gradient of the sum of the outputs by example n. With v_i the eigenvalues of the correlation matrix of
the rows, the score is - sum_i [ln(v_i + k) + 1 / (v_i + k)], k = 1e-5: highest where the rows are not correlated.
The correlations of as many rows as an input has numbers, or of more, are singular, so the batch must be smaller.
"""

from __future__ import annotations

import torch

from evonas_cli.training.zero_cost.scores import Subject

K = 1e-5


def jacob_cov(subject: Subject) -> float:
    """The score; not a number where an example's gradient is constant, as in a network that ignores its input."""
    inputs = subject.inputs.detach().requires_grad_()
    outputs = subject.network(inputs).sum()
    (jacobian,) = torch.autograd.grad(outputs, [inputs], allow_unused=True)
    if jacobian is None:
        return float("nan")
    correlations = torch.corrcoef(jacobian.flatten(1).double())
    if not bool(correlations.isfinite().all()):
        return float("nan")
    values = torch.linalg.eigvalsh(correlations).clamp_min(0) + K
    return -float((values.log() + 1 / values).sum())
