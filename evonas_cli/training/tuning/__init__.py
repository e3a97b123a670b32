"""Which settings of the engine are fastest."""
