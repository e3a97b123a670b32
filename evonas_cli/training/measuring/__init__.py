"""What is measured of a network beside its training: latency, memory, energy. Only `plan.py` and `meters.py` are
without torch."""
