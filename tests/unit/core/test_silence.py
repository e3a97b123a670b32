"""Log records that are kept from the terminal for a while."""

from __future__ import annotations

import logging

import pytest

from evonas_cli.core.silence import silenced


def test_records_up_to_the_level_are_dropped_in_the_block_alone(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("evonas")
    with pytest.raises(KeyError), silenced(logging.WARNING):
        log.warning("in the block")
        log.error("an error")
        raise KeyError
    log.warning("behind the block")
    assert [record.message for record in caplog.records] == ["an error", "behind the block"]


def test_an_outer_silence_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    with silenced(logging.ERROR):
        with silenced(logging.INFO):
            pass
        logging.getLogger("evonas").error("still silent")
    assert not caplog.records
