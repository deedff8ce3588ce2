"""Of large requests few are answered at a time, so that a process still answers what is small."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from flask.testing import FlaskClient

from service.wire.places import AT_ONCE, Places

BATCH, ONE = "/api/v1/recommendations/batch", "/api/v1/recommendations"
LINE = '{"id": "P1", "weaknesses": [{"text": "公文写作不规范"}]}\n'


def begin(caller: FlaskClient, **headers: str):
    """A batch that is answered while it is read; nobody reads it yet."""
    return caller.post(BATCH, data=LINE, content_type="application/x-ndjson", headers=headers, buffered=False)


def test_one_more_than_can_be_worked_on_is_asked_to_come_again_and_small_ones_are_answered(caller: FlaskClient):
    held = [begin(caller) for _ in range(AT_ONCE)]
    assert [one.status_code for one in held] == [200] * AT_ONCE
    refused = begin(caller)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert caller.post(ONE, json={"id": "P1"}).status_code == 200
    assert caller.get("/api/v1/health/live").status_code == 200
    later = begin(caller, Prefer="respond-async")
    assert later.status_code == 202, "a job holds no thread"
    assert held[0].get_data()
    held[0].close()
    last = begin(caller)
    assert last.status_code == 200
    for one in (*held, last, later, refused):
        one.close()


def test_a_person_is_kept_waiting_for_a_place_and_a_system_is_not():
    places = Places(patience=5.0)
    assert all(places.take(waits=False) for _ in range(AT_ONCE))
    assert not places.take(waits=False)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(places.take, waits=True)
        time.sleep(0.1)
        assert not waiting.done()
        assert not places.take(waits=True), "who waits holds a thread as well, so few may"
        places.leave()
        assert waiting.result(timeout=5)


def test_nobody_waits_longer_than_is_bearable():
    places = Places(patience=0.01)
    assert all(places.take(waits=True) for _ in range(AT_ONCE))
    assert not places.take(waits=True)
    places.leave()
    assert places.take(waits=True)


def test_a_large_request_that_is_refused_leaves_room_for_the_next(caller: FlaskClient):
    for _ in range(2 * AT_ONCE):
        assert caller.post("/api/v1/cohorts/plan", json={"people": []}).status_code == 422
        assert caller.post("/api/v1/cohorts/plan", data=b"{", content_type="application/json").status_code == 400
    with begin(caller) as response:
        assert response.status_code == 200
