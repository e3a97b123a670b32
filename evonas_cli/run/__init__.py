"""A run from its configuration to its end: assembly, session, loop, verification."""
