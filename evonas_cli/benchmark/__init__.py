"""How fast populations are trained on this machine, beside today's practice."""
