"""Changes of plans that lead from a parent's network to a child's, without weights (`nn/inherit` replays them)."""
