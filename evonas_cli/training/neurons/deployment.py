"""A graph of neurons with what its data means: how raw inputs become its numbers, and the names of its answers."""

from __future__ import annotations

from dataclasses import replace

from evonas_cli.network.deployment import Deployment, deployed
from evonas_cli.network.neurons import Neurons
from evonas_cli.training.candidates.built import signature_of
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.neurons.equipment import NeuralEquipment


def deployment(equipment: NeuralEquipment, neurons: Neurons) -> Deployment:
    """As `network.deployment.Deploying`; inputs are normalised only where the neurons were trained on such."""
    with reading_data():
        splits = equipment.dataset.prepare(equipment.seed)
    signature = signature_of(splits)
    if not equipment.standardise:
        signature = replace(signature, mean=(0.0,) * len(signature.mean), std=(1.0,) * len(signature.std))
    return deployed(neurons, signature)
