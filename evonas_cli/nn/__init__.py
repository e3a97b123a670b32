"""From plans to torch modules."""
