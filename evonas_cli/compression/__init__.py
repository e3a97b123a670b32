"""Trained networks made smaller: pruning of units, int8 weights, distillation."""
