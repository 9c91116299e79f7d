"""The 22 things that App Sessions are known to get wrong elsewhere, each under its row's number.

A row that this API, the fold or webhooks decide is tested here. Of a row that another room decides, `ELSEWHERE` names
the tests that hold it, and it is looked after that they are there.
"""

import ast
import subprocess
import sys
import uuid
from dataclasses import replace

import msgspec
import pytest

from deploy.local.settings import REPOSITORY
from ingest.settings import IngestSettings
from schemas import sessions
from schemas.records import FactKind, HistoryEntry, OutputKind, SessionChange, SessionFact, SpokenWord, Utterance
from schemas.sessions import Progress
from schemas.settings import Engine, SessionSettings
from schemas.signing import canonical, signature
from sinks.webhooks.envelopes import news_of
from sinks.webhooks.lanes import Lanes
from sinks.webhooks.schedule import GAPS_MS
from tests.support.house import stream
from tests.support.processes import PATIENCE_S, wait_for
from tests.unit.schemas.test_sessions import WHOLE, life
from tests.unit.sinks.webhooks.test_lanes import accept, begun

ELSEWHERE = {
    "01 connected only after the handshakes": [
        "tests/integration/ingest/test_sessions.py::test_a_meeting_from_its_request_to_its_end"],
    "03 the whole fail-over": [
        "tests/integration/rtms/test_session.py::test_a_media_socket_cut_off_comes_back_by_itself",
        "tests/integration/rtms/test_session.py::test_signalling_cut_off_takes_everything_down_and_up_again",
        "tests/integration/rtms/test_session.py::test_zoom_moves_the_stream_to_another_address"],
    "04 a crash loses seconds": [
        "tests/integration/ingest/test_hand_over.py::test_a_worker_that_dies_is_replaced",
        "tests/integration/faults/test_faults.py::test_results_are_those_of_an_undisturbed_run"],
    "05 complete means stored": [
        "tests/unit/sinks/objects/test_storing.py::test_an_object_that_somebody_deleted_is_a_failed_recording_and_"
        "holds_nothing_up"],
    "06 a stream for each participant": [
        "tests/unit/processors/muxing/test_mixing.py::test_speakers_add_up_and_clip"],
    "08 Zoom's clock": [
        "tests/unit/processors/muxing/test_mixing.py::test_jittering_stamps_do_not_tear_a_voice"],
    "10 share and chat are kept": [
        "tests/integration/api/test_contract.py::test_13_chat_messages",
        "tests/integration/sinks_webhooks/test_webhooks.py::test_chat_and_who_speaks_are_told_to_those_who_want_it",
        "tests/unit/processors/checkpoint/test_missing.py::test_every_medium_has_exactly_one_processor_that_answers_for_it"],
    "11 a real MP3": [
        "tests/unit/sinks/objects/test_sounds.py::test_it_is_an_mp3_of_what_was_said_when_it_was_said"],
    "12 the view is what is seen": [
        "tests/unit/api/app_sessions/test_composed_views.py::test_row_12_a_view_that_is_asked_for_is_never_ignored",
        "tests/unit/processors/composing/test_composition.py::"
        "test_row_12_the_view_that_is_asked_for_is_what_is_seen",
        "tests/unit/processors/composing/test_composition.py::"
        "test_row_12_the_speaker_stands_in_the_corner_of_the_screen",
        "tests/integration/endings/test_endings.py::"
        "test_row_12_a_view_that_has_to_be_drawn_is_there_when_the_session_has_ended"],
    "22 TLS is verified": [
        "tests/integration/rtms/test_tls.py::test_tls_with_an_unknown_authority",
        "tests/integration/rtms/test_tls.py::test_tls_with_a_certificate_for_another_name"],
}  # fmt: skip

PAUSE = HistoryEntry(event_type="recording_paused", old_state="connected", new_state="connected", created_at_ms=1)


@pytest.mark.parametrize("row", ELSEWHERE)
def test_row_held_elsewhere(row):
    for node in ELSEWHERE[row]:
        path, _, name = node.partition("::")
        tree = ast.parse((REPOSITORY / path).read_text())
        functions = {item.name for item in tree.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, node


def test_row_01_accepted_or_claimed_is_not_connected(house, tenant):
    session_id = tenant.create().json()["id"]
    epoch = house.others.state(session_id, FactKind.CLAIMED, worker="w")
    wait_for(lambda: state(tenant, session_id) == "connecting", PATIENCE_S, lambda: "connecting")
    house.others.state(session_id, FactKind.CONNECTED, worker="w", epoch=epoch)
    wait_for(lambda: state(tenant, session_id) == "connected", PATIENCE_S, lambda: "not connected")


def test_row_02_a_refused_handshake_is_an_error_with_its_reason(house, tenant):
    session_id = tenant.create().json()["id"]
    epoch = house.others.state(session_id, FactKind.CLAIMED, worker="w")
    house.others.state(session_id, FactKind.CONNECTION_FAILED, epoch=epoch, reason="signaling_refused_3")
    wait_for(lambda: state(tenant, session_id) == "fatal_error", PATIENCE_S, lambda: "no error")
    last = tenant.http.get(f"/app_sessions/{session_id}").json()["events"][-1]
    assert (last["sub_type"], last["event_metadata"]) == ("zoom_connection_failed", {"reason": "signaling_refused_3"})


def test_row_05_a_recording_that_was_not_stored_is_not_complete():
    failed = SessionFact(session_id="app_1", kind=FactKind.RECORDING_FAILED, reason="bucket refused")
    state_after = life(*WHOLE[:5], failed, *WHOLE[6:])
    assert state_after.recording_state == Progress.FAILED
    assert state_after.state == sessions.State.ENDED


def test_row_06_streams_are_asked_for_one_by_one():
    assert SessionSettings().mixed_audio is False


def test_row_07_captions_and_recognised_words_are_independent(house, tenant):
    both = {"meeting_closed_captions": {}, "moonshine": {}}
    session_id = tenant.create(transcription_settings=both).json()["id"]
    said = [Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{engine}", engine=engine,
                      text=engine, start_ms=1_700_000_000_000, end_ms=1_700_000_000_001)
            for engine in ("zoom", "moonshine")]  # fmt: skip
    house.others.say(session_id, said)
    for engine in ("zoom", "moonshine"):
        path = f"/app_sessions/{session_id}/transcript"
        wait_for(lambda: tenant.http.get(path, params={"engine": engine}).json(), PATIENCE_S, lambda: "no words")  # noqa: B023
        [entry] = tenant.http.get(path, params={"engine": engine}).json()
        assert entry["transcription"]["transcript"] == engine


def test_row_08_times_are_zooms(house, tenant):
    session_id = tenant.create().json()["id"]
    said = Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id="utt_1", engine="zoom", text="then",
                     start_ms=1_600_000_000_123, end_ms=1_600_000_000_999)  # fmt: skip
    house.others.say(session_id, [said])
    path = f"/app_sessions/{session_id}/transcript"
    wait_for(lambda: tenant.http.get(path).json(), PATIENCE_S, lambda: "no words")
    [entry] = tenant.http.get(path).json()
    assert (entry["timestamp_ms"], entry["duration_ms"]) == (1_600_000_000_123, 876)


def test_row_09_a_pause_is_seen(house, tenant):
    """As an event, the recording's state, an interval, and by a webhook; the session's state is what it was."""
    session_id = tenant.create().json()["id"]
    house.others.connect(session_id)
    for kind, at_ms, recording in ((FactKind.PAUSED, 5000, "paused"), (FactKind.RESUMED, 9000, "in_progress")):
        house.others.state(session_id, kind, as_of_ms=at_ms)
        wait_for(lambda: recording_state(tenant, session_id) == recording, PATIENCE_S, lambda: recording)  # noqa: B023
    session = tenant.http.get(f"/app_sessions/{session_id}").json()
    assert [event["type"] for event in session["events"][-2:]] == ["recording_paused", "recording_resumed"]
    assert (session["state"], session["pauses"]) == ("connected", [{"from_ms": 5000, "to_ms": 9000}])
    told = news_of(SessionChange(session_id=session_id, project_id="p", sequence=2, change=PAUSE), None)
    assert (told.trigger, told.data["event_type"]) == ("recording.state_change", "recording_paused")


def recording_state(tenant, session_id):
    return tenant.http.get(f"/app_sessions/{session_id}").json()["recording_state"]


@pytest.mark.parametrize(
    "fields",
    [{"zoom_settings": None}, {"recording_settings": "x"}, {"recording_settings": []}, {"recording_settings": None},
     {"transcription_settings": 3}, {"metadata": []}, {"zoom_rtms": 3}, {"zoom_rtms": []}],
)  # fmt: skip
def test_row_13_odd_bodies_are_400(tenant, fields):
    assert tenant.http.post("/app_sessions", json={"zoom_rtms": stream()} | fields).status_code == 400


def test_row_14_one_stream_is_one_session(tenant):
    stream_id = uuid.uuid4().hex
    assert tenant.create(stream_id).json()["id"] == tenant.create(stream_id).json()["id"]
    assert tenant.end(stream_id).status_code == tenant.end(stream_id).status_code == 200


def test_row_15_no_session_ends_by_itself_after_an_hour():
    assert IngestSettings().total_deadline_s == 30 * 3600


def test_row_16_words_are_told_with_their_times(house, tenant):
    """By webhook as over REST."""
    session_id = tenant.create(transcription_settings={"deepgram": {}}).json()["id"]
    words = (SpokenWord("then", BEGAN_MS, BEGAN_MS + 400), SpokenWord("now", BEGAN_MS + 500, BEGAN_MS + 900))
    said = Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id="utt_1", engine="deepgram",
                     text="then now", start_ms=BEGAN_MS, end_ms=BEGAN_MS + 900, words=words)  # fmt: skip
    house.others.say(session_id, [said])
    path = f"/app_sessions/{session_id}/transcript"
    wait_for(lambda: tenant.http.get(path).json(), PATIENCE_S, lambda: "no words")
    [entry] = tenant.http.get(path).json()
    assert [word["word"] for word in entry["transcription"]["words"]] == ["then", "now"]
    wanted = msgspec.json.encode(SessionSettings(engines=(Engine.DEEPGRAM,))).decode()
    told = news_of(said, replace(life(*WHOLE[:3]), session_id=session_id, settings=wanted))
    times = [(word["word"], word["start_ms"], word["end_ms"]) for word in told.data["words"]]
    assert times == [("then", BEGAN_MS, BEGAN_MS + 400), ("now", BEGAN_MS + 500, BEGAN_MS + 900)]


BEGAN_MS = 1_700_000_000_000


def test_row_17_the_body_is_what_is_signed_and_has_no_floats():
    body = canonical({"b": 1.0, "a": {"d": "ü", "c": 2}})
    assert body == '{"a":{"c":2,"d":"ü"},"b":1}'
    assert signature("AAAA", body) == signature("AAAA", canonical({"a": {"c": 2, "d": "ü"}, "b": 1}))


def test_row_18_a_receiver_may_be_away_for_days():
    assert len(GAPS_MS) == 10
    assert sum(GAPS_MS) > 2.8 * 86_400_000


def test_row_19_news_are_numbered_and_in_order():
    lanes = Lanes()
    assert [delivery.sequence for delivery in accept(lanes, 0, 1, 2)] == [0, 1, 2]
    assert [delivery.sequence for delivery in begun(lanes)] == [0], "the next waits for the one before it"


def test_row_20_nothing_is_decoded_at_ingest():
    """A worker has nothing loaded that could: what it forwards, it forwards as it came."""
    program = f"import sys, ingest.command; print([name for name in {CODECS!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"
    at_work = {name for path in (REPOSITORY / "ingest").glob("*.py") for name in imported(path)}
    assert not at_work & {*CODECS, "processors"}


CODECS = ("av", "numpy", "moonshine_voice", "webrtcvad", "PIL")


def imported(path):
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            yield (item.module or "").partition(".")[0]


def test_row_21_sessions_can_be_listed_and_read(tenant):
    session = tenant.create().json()
    assert tenant.http.get(f"/app_sessions/{session['id']}").json() == session
    assert tenant.http.get("/app_sessions").status_code == 200


@pytest.mark.parametrize(
    "url",
    ["wss://10.0.0.1", "wss://zoom.us.example.com", "ws://rtms.zoom.us", "http://rtms.zoom.us", "wss://localhost"],
)
def test_row_22_no_stream_leads_into_our_house(tenant, url):
    answer = tenant.http.post("/app_sessions", json={"zoom_rtms": stream() | {"server_urls": url}})
    assert answer.status_code == 400
    assert answer.json().keys() == {"zoom_rtms"}


def test_every_row_is_accounted_for():
    here = {name.split("_")[2] for name in globals() if name.startswith("test_row_") and name[9].isdigit()}
    rows = here | {row.split()[0] for row in ELSEWHERE}
    assert rows == {f"{number:02}" for number in range(1, 23)}


def state(tenant, session_id):
    return tenant.http.get(f"/app_sessions/{session_id}").json()["state"]
