"""Tasks that share a device alternate where they wait, and nowhere else."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.training.device.turns import abreast


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 4))
def test_each_task_ends_and_one_runs_at_a_time(pauses, most):
    running, under_way, largest = [], set(), [0]

    def task(index):
        def call(pause):
            under_way.add(index)
            largest[0] = max(largest[0], len(under_way))
            for _ in range(pauses[index] + 1):
                assert not running
                running.append(index)
                assert running.pop() == index
                pause()
            under_way.discard(index)
            return index * 10

        return call

    tasks = [task(index) for index in range(len(pauses))]
    assert abreast(tasks, lambda: len(under_way) < most) == [10 * index for index in range(len(pauses))]
    assert largest[0] <= most


def test_tasks_take_turns_in_order():
    seen = []

    def task(name):
        def call(pause):
            for _ in range(3):
                seen.append(name)
                assert pause() or name == "b"

        return call

    abreast([task("a"), task("b")], lambda: True)
    assert "".join(seen) == "ababab"


def test_a_task_that_is_alone_does_not_hand_over():
    assert abreast([lambda pause: pause()], lambda: True) == [False]


def test_without_room_the_next_begins_when_one_has_ended():
    seen, asked = [], []

    def task(name):
        def call(pause):
            for _ in range(2):
                seen.append(name)
                pause()

        return call

    def room():
        asked.append(len(seen))
        return False

    abreast([task("a"), task("b"), task("c")], room)
    assert "".join(seen) == "aabbcc"
    assert len(asked) == 2


def test_the_first_error_in_order_is_raised_after_all_have_ended():
    ended = []

    def fails(pause):
        pause()
        raise ValueError("first")

    def fails_sooner(pause):
        raise KeyError("second")

    def lasts(pause):
        for _ in range(5):
            pause()
        ended.append(True)

    def never(pause):
        ended.append("begun")

    rooms = iter([True, True])
    with pytest.raises(ValueError, match="first"):
        abreast([fails, lasts, fails_sooner, never], lambda: next(rooms, False))
    assert ended == [True]


def test_threads_go_on_to_later_tasks():
    first, second = set(), set()
    for seen in (first, second):
        tasks = [lambda pause, seen=seen: (seen.add(threading.get_ident()), pause()) for _ in range(3)]
        abreast(tasks, lambda: True)
    assert second <= first
