"""How often somebody may ask within a minute, which begins with the first time."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from limits.storage import MemoryStorage, Storage

from model.errors import InputError
from service.wire.counting import Counting


def test_the_first_may_and_who_comes_too_often_is_told_how_long_to_wait():
    counting = Counting("memory://", 1)
    waits = [counting.count("asking", "key:a", 3) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert all(1 <= wait <= 60 for wait in waits[3:])


def test_each_is_counted_apart_and_each_thing_apart():
    counting = Counting("memory://", 1)
    assert counting.count("asking", "key:a", 1) == 0
    assert counting.count("asking", "key:a", 1) > 0
    assert counting.count("asking", "key:b", 1) == 0
    assert counting.count("failing", "key:a", 1) == 0


def test_asking_whether_it_is_full_counts_nothing():
    counting = Counting("memory://", 1)
    assert [counting.full("failing", "a", 1) for _ in range(5)] == [0] * 5
    counting.count("failing", "a", 1)
    assert counting.full("failing", "a", 1) > 0


def test_what_costs_more_counts_as_more_but_may_always_be_done_once():
    counting = Counting("memory://", 1)
    assert [counting.count("asking", "a", 250, cost=100) > 0 for _ in range(3)] == [False, False, True]
    assert [counting.count("asking", "b", 10, cost=100) > 0 for _ in range(2)] == [False, True]


def test_each_of_several_processes_lets_its_share_through():
    counting = Counting("memory://", 4)
    assert [counting.count("asking", "a", 8) > 0 for _ in range(3)] == [False, False, True]
    assert [counting.count("asking", "b", 1) > 0 for _ in range(2)] == [False, True]


@pytest.mark.parametrize("address", ["", "nonsense", "nonsense://host"])
def test_a_storage_that_is_none_is_refused_with_what_would_be_right(address: str):
    with pytest.raises(InputError, match="QUEBU_RATE_LIMIT_STORAGE"):
        Counting(address, 1)


class Shared(MemoryStorage):
    """A storage of all processes that can fail."""

    STORAGE_SCHEME = ["quebu-test"]  # noqa: RUF012 (as the library has it)
    fails = False

    @property
    def base_exceptions(self) -> type[Exception]:
        return ConnectionError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        if Shared.fails:
            raise ConnectionError("redis://:hunter2@host is gone")
        return super().incr(key, expiry, amount)


@pytest.fixture
def failing() -> Iterator[type[Storage]]:
    Shared.fails = False
    yield Shared
    Shared.fails = False


@pytest.mark.usefixtures("failing")
def test_a_shared_storage_counts_for_all_processes_and_while_it_fails_each_counts_by_itself(
    caplog: pytest.LogCaptureFixture,
):
    counting = Counting("quebu-test://", 2)
    assert [counting.count("asking", "a", 4) > 0 for _ in range(5)] == [False] * 4 + [True]
    Shared.fails = True
    with caplog.at_level(logging.WARNING):
        assert [counting.count("asking", "b", 4) > 0 for _ in range(3)] == [False, False, True]
    assert "ConnectionError" in caplog.text
    assert "hunter2" not in caplog.text
    Shared.fails = False
    assert counting.count("asking", "b", 4) == 0
