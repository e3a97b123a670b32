"""Changes of plans by which a child's network follows from its parent's, without weights (`nn/inherit` replays them)."""
