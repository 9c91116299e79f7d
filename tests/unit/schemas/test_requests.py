"""One session, requested by a relay and by Zoom itself: the same comes out in either order."""

import itertools
from dataclasses import replace

import pytest

from api.app_sessions.external_storage import external_storage
from schemas import sessions
from schemas import settings as session_settings
from schemas.records import FactKind, SessionFact, StreamRequest
from schemas.requests import DIRECT
from schemas.settings import Engine, RecordingFormat, SessionSettings

REQUEST = StreamRequest(
    product="meeting", meeting_id="m==", stream_id="s", server_urls=("wss://a",), zoom_app_id="zoa_1"
)
HOOKS = '[{"url":"https://a","triggers":["bot.state_change"]}]'


def requested(source, given=(), settings=None, **fields):
    return SessionFact(
        session_id="app_1", kind=FactKind.REQUESTED, project_id="p", source=source, request=REQUEST, given=given,
        settings=session_settings.dumps(settings or SessionSettings()), **fields,
    )  # fmt: skip


TEMPLATE = requested(
    DIRECT, settings=SessionSettings(recording_format=RecordingFormat.NONE, engines=(Engine.MOONSHINE,)),
    metadata='{"from":"template"}', webhooks=HOOKS,
)  # fmt: skip
CALLER = requested(
    "api", given=("recording_format", "metadata", "deduplication_key"),
    settings=SessionSettings(recording_format=RecordingFormat.MP4), metadata='{"from":"caller"}', deduplication_key="k",
)  # fmt: skip
PLAIN = requested("api")


def folded(*facts):
    state = None
    for offset, fact in enumerate(facts):
        state = sessions.fold(state, fact, offset, 1)
    return state


def wanted(state):
    settings = session_settings.loads(state.settings)
    return settings.recording_format, settings.engines, state.metadata, state.webhooks, state.deduplication_key


BOTH = (RecordingFormat.MP4, (Engine.MOONSHINE,), '{"from":"caller"}', HOOKS, "k")


@pytest.mark.parametrize("order", list(itertools.permutations([TEMPLATE, CALLER, PLAIN, TEMPLATE])))
def test_what_a_caller_named_beats_a_template_in_any_order(order):
    assert wanted(folded(*order)) == BOTH


@pytest.mark.parametrize("order", [(TEMPLATE, PLAIN), (PLAIN, TEMPLATE)])
def test_a_caller_who_named_nothing_leaves_the_template(order):
    found = (RecordingFormat.NONE, (Engine.MOONSHINE,), '{"from":"template"}', HOOKS, None)
    assert wanted(folded(*order)) == found


def test_the_first_caller_who_names_a_field_decides_it():
    other = replace(CALLER, metadata='{"from":"another"}', given=("metadata", "webhooks"), webhooks="[]")
    assert wanted(folded(CALLER, other))[2:] == ('{"from":"caller"}', "[]", "k")


def test_after_a_claim_nothing_changes_that_a_worker_goes_by():
    claimed = SessionFact(session_id="app_1", kind=FactKind.CLAIMED, worker="w")
    state = folded(TEMPLATE, claimed, CALLER)
    assert session_settings.loads(state.settings).recording_format is RecordingFormat.NONE
    assert (state.metadata, state.deduplication_key) == ('{"from":"caller"}', "k")


@pytest.mark.parametrize("is_caller_first", [True, False])
def test_a_callers_bucket_never_meets_the_name_that_a_template_has_for_another(is_caller_first):
    ours = SessionSettings(copy_bucket="ours", copy_name="weekly.mp4")
    template = requested(DIRECT, settings=ours)
    chosen = external_storage({"bucket_name": "theirs"})
    caller = requested("api", given=tuple(chosen), settings=SessionSettings(copy_bucket="theirs"))
    state = folded(caller, template) if is_caller_first else folded(template, caller)
    settings = session_settings.loads(state.settings)
    assert (settings.copy_bucket, settings.copy_name) == ("theirs", None)
