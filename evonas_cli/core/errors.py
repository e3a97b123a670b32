"""Errors that carry the exit code and the one line a user sees."""

from __future__ import annotations


class EvonasError(Exception):
    """Base of all expected errors: the message is one line that says what, where and what to do."""

    exit_code = 1


class UsageError(EvonasError):
    """The command or the configuration is wrong."""

    exit_code = 2


class RunError(EvonasError):
    """A run is missing, corrupt or incompatible with what was asked."""

    exit_code = 3


class EnvironmentFailure(EvonasError):
    """The machine failed, not a candidate: nothing was recorded and the run can be resumed."""

    exit_code = 4


class LockedError(EvonasError):
    """Another process works on the run."""

    exit_code = 75
