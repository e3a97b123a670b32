"""The long form of torture takes many minutes: it runs where `-m torture` asks for it. Kills are counted."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "torture" in config.getoption("markexpr"):
        return
    for item in items:
        if item.get_closest_marker("torture"):
            item.add_marker(pytest.mark.skip(reason="the long form runs with -m torture"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line says how many processes tests killed, each after it was seen to run, and how many tests failed."""
    counted = [
        (report, int(value))
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == "kills"
    ]
    if counted:
        differing = sum(report.failed for report, _ in counted)
        kills = sum(value for _, value in counted)
        terminalreporter.write_line(f"kill -9: {kills} kills in {len(counted)} searches, {differing} of which differ")
