"""The limit and the deduplication keys of a project, under requests that come at once to several replicas."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.support.house import fetched, stream
from tests.support.processes import PATIENCE_S, wait_for

LIMIT = 5


@pytest.fixture(scope="module")
def replicas(house):
    """Three addresses of one API, with a limit that a test can reach."""
    with ExitStack() as stack:
        yield [stack.enter_context(house.replica(RTMS_API_CONCURRENCY_LIMIT=str(LIMIT))) for _ in range(3)]


def create(url, tenant, stream_id=None, **fields):
    body = {"zoom_rtms": stream(stream_id)} | fields
    headers = {"Authorization": f"Token {tenant.key}"}
    return fetched(f"{url}/app_sessions", "POST", json=body, headers=headers)


def at_once(replicas, tenant, count, fields):
    """The answers to `count` creates, each to another replica than the one before."""
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(create, replicas[n % len(replicas)], tenant, **fields(n)) for n in range(count)]
        return [future.result() for future in asked]


def test_a_key_is_given_once(house, replicas):
    tenant = house.tenant("keys")
    for _ in range(5):
        key = uuid.uuid4().hex
        answers = at_once(replicas, tenant, 9, lambda _, key=key: {"deduplication_key": key})
        assert Counter(answer.status_code for answer in answers) == {201: 1, 400: 8}
        [won] = [answer.json() for answer in answers if answer.status_code == 201]
        assert won["deduplication_key"] == key
        for answer in answers:
            assert answer.status_code == 201 or answer.json()["error"].startswith("Deduplication key already in use.")
        house.finish(won["id"])
        wait_for(lambda: tenant.http.get(f"/app_sessions/{won['id']}").json()["state"] == "ended", PATIENCE_S,  # noqa: B023
                 lambda: "not ended")  # fmt: skip
        again = create(replicas[0], tenant, deduplication_key=key)
        assert again.status_code == 201, "a session that is over gives its key back"
        house.finish(again.json()["id"])


def test_the_same_stream_is_one_session_and_its_own_key_is_no_clash(house, replicas):
    tenant, stream_id = house.tenant("retries"), uuid.uuid4().hex
    answers = at_once(replicas, tenant, 9, lambda _: {"stream_id": stream_id, "deduplication_key": "mine"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert create(replicas[1], tenant, deduplication_key="mine").status_code == 400


def test_never_more_than_the_limit(house, replicas):
    tenant = house.tenant("limited")
    answers = at_once(replicas, tenant, 12, lambda _: {})
    assert Counter(answer.status_code for answer in answers) == {201: LIMIT, 400: 12 - LIMIT}
    refused = next(answer for answer in answers if answer.status_code == 400)
    assert refused.json()["error"].startswith("You have exceeded the maximum number of concurrent bots (5)")

    live = [answer.json() for answer in answers if answer.status_code == 201]
    again = create(replicas[2], tenant, live[0]["zoom_rtms_stream_id"])
    assert (again.status_code, again.json()["id"]) == (201, live[0]["id"]), "asking again needs no second place"
    for session in live[:2]:
        house.finish(session["id"])
    epoch = house.others.connect(live[2]["id"])
    house.others.disconnect(live[2]["id"], epoch)
    wait_for(lambda: [tenant.http.get(f"/app_sessions/{s['id']}").json()["state"] for s in live[:3]]
             == ["ended", "ended", "post_processing"], PATIENCE_S, lambda: "not over")  # fmt: skip
    more = at_once(replicas, tenant, 9, lambda _: {})
    assert Counter(answer.status_code for answer in more) == {201: 3, 400: 6}, "only live sessions count"


def test_a_key_that_comes_with_a_second_request_is_as_good(house, replicas):
    tenant, stream_id = house.tenant("late"), uuid.uuid4().hex
    first = create(replicas[0], tenant, stream_id)
    second = create(replicas[1], tenant, stream_id, deduplication_key="late", metadata={"a": "b"})
    assert (second.status_code, second.json()["id"]) == (201, first.json()["id"])
    assert (second.json()["deduplication_key"], second.json()["metadata"]) == ("late", {"a": "b"})
    assert create(replicas[2], tenant, deduplication_key="late").status_code == 400
