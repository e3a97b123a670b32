"""Property tests have no deadline (the machine may be busy) and keep no database."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("evonas", deadline=None, database=None)
settings.load_profile("evonas")
