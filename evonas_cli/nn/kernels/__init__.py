"""Operators whose form in torch is slow or wrong on some device.

Each module states its removal condition: what torch must do before the module is deleted. `scripts/bench_operators`
compares the operators on CPUs with those of torch.
"""
