"""What is made once, however many threads ask for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bareboat.system.once import Once


def test_threads_that_ask_together_get_the_same_and_it_is_made_once():
    once, made, start = Once(), [], threading.Barrier(8)

    def ask(key):
        start.wait()
        return once.get(key, lambda: made.append(key) or object())

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(ask, "ab" * 4))
    assert sorted(made) == ["a", "b"]
    assert len({*given[::2]}) == len({*given[1::2]}) == 1


def test_what_failed_or_is_forgotten_is_made_again():
    once = Once()
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert once.get("a", lambda: 1) == once.get("a", lambda: 2) == 1
    once.forget("a")
    once.forget("never there")
    assert once.get("a", lambda: 2) == 2


def test_making_one_does_not_wait_for_making_another():
    once, other = Once(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(once.get, "slow", lambda: other.wait(10))
        assert once.get("quick", lambda: "made") == "made"
        other.set()
        assert slow.result() is True
