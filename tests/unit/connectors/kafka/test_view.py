"""How long a view lets a fetch wait that finds nothing; and for whom those do not wait who ask it for news."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.kafka.connection import CALM_FETCH_WAIT_MS, FETCH_WAIT_MS
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from schemas import topics
from schemas.topics import Topic
from tests.support.processes import PATIENCE_S

WRITTEN_IN_TRANSACTIONS = (topics.APP_SESSIONS, topics.SESSION_CHANGES, topics.WEBHOOK_NOTICES)
WRITTEN_WITHOUT = (topics.PROJECTS, topics.API_KEYS, topics.ZOOM_APPS, topics.CREDENTIALS, topics.CLAIMS)


def waits_ms(topic: Topic) -> int:
    view = TopicView(KafkaSettings(), topic, lambda _: None)
    try:
        return int(view._reader._config["fetch.wait.max.ms"])
    finally:
        view.close()


@pytest.mark.parametrize("topic", WRITTEN_IN_TRANSACTIONS, ids=lambda topic: topic.name)
def test_an_end_behind_a_marker_is_known_soon(topic: Topic) -> None:
    assert waits_ms(topic) == FETCH_WAIT_MS


@pytest.mark.parametrize("topic", WRITTEN_WITHOUT, ids=lambda topic: topic.name)
def test_where_there_are_no_markers_an_idle_broker_is_asked_once_a_second(topic: Topic) -> None:
    assert waits_ms(topic) == CALM_FETCH_WAIT_MS


async def test_who_asks_for_news_waits_for_nobody_who_has_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Players of recordings that a store let hang had them: no session was created or found meanwhile."""
    monkeypatch.setattr(TopicView, "wait_to_end", lambda _self, _timeout_s: True)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    answers = threading.Event()
    hanging = asyncio.create_task(asyncio.to_thread(answers.wait, 2 * PATIENCE_S))
    await asyncio.sleep(0)
    view = TopicView(KafkaSettings(), topics.APP_SESSIONS, lambda _: None)
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await view.wait_to_end_async(1.0)
    finally:
        answers.set()
        await hanging
        view.close()
