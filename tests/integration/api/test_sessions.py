"""A session from its request to its recording, over HTTP, on a real log and a real ClickHouse engine."""

import uuid

import httpx
import pytest

from connectors.objects.signing import signed_url
from schemas import ids
from schemas.records import FactKind, OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from tests.support.house import STREAM_URL, fetched, stream
from tests.support.processes import PATIENCE_S, wait_for

START_MS = 1_700_000_000_000
MP4 = bytes(range(256)) * 40


def utterances(session_id, count, engine="zoom", **fields):
    return [
        Utterance(
            session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{engine}{number}", engine=engine,
            status=fields.get("status", UtteranceStatus.FINAL), participant_id=7, participant_name="Ada <L>",
            start_ms=START_MS + 1000 * number, end_ms=START_MS + 1000 * number + 600, language="en",
            text=fields.get("text", f"sentence {number}"),
        )
        for number in range(count)
    ]  # fmt: skip


def events(session_id, count):
    return [
        ParticipantEvent(
            session_id=session_id, kind=OutputKind.ITEM, event_id=f"pe_{number:03}", event="join",
            participant_id=number, participant_name=f"P{number}", timestamp_ms=START_MS + number // 2,
        )
        for number in range(count)
    ]  # fmt: skip


def until(condition, what, timeout_s=PATIENCE_S):
    wait_for(condition, timeout_s, lambda: f"not in time: {what}")


def state_of(tenant, session_id):
    return tenant.http.get(f"/app_sessions/{session_id}").raise_for_status().json()["state"]


def test_a_session_runs_through(house, tenant):
    stream_id = uuid.uuid4().hex
    both = {"meeting_closed_captions": {}, "moonshine": {"language": "en"}}
    made = tenant.create(stream_id, metadata={"a": "ü"}, transcription_settings=both)
    assert made.status_code == 201
    session = made.json()
    session_id = session["id"]
    assert session_id == ids.session_id(tenant.project_id, stream_id)
    assert session["state"] == "connecting"
    assert session["metadata"] == {"a": "ü"}
    assert session["zoom_rtms_stream_id"] == stream_id
    assert [event["type"] for event in session["events"]] == ["app_session_connection_requested"]
    assert session["transcription_state"] == session["recording_state"] == "not_started"

    epoch = house.others.connect(session_id)
    until(lambda: state_of(tenant, session_id) == "connected", "connected")
    path = f"/app_sessions/{session_id}"
    early = tenant.http.get(f"{path}/media")
    assert (early.status_code, early.json()) == (404, {"error": "No media file found for app session"})
    assert tenant.http.get(f"{path}/transcript").json() == []
    assert tenant.http.get(f"{path}/participant_events").json() == {"next": None, "previous": None, "results": []}

    ended = tenant.end(stream_id)
    assert (ended.status_code, ended.json()["state"]) == (200, "disconnecting")
    assert tenant.end(stream_id).json() == ended.json(), "ending twice is no error and changes nothing"
    house.others.disconnect(session_id, epoch)
    moonshine = [
        *utterances(session_id, 3, "moonshine"),
        *utterances(session_id, 1, "moonshine", text="the first one, heard better"),
    ]
    nothing = [
        Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{status}", engine="zoom",
                  status=UtteranceStatus(status), text=text, start_ms=START_MS, end_ms=START_MS, reason="r")
        for status, text in (("failed", ""), ("partial", "hal"), ("final", ""))
    ]  # fmt: skip
    house.others.say(session_id, [*utterances(session_id, 40), *moonshine, *nothing])
    house.others.happen(session_id, events(session_id, 60))
    house.record(session_id, MP4, START_MS - 500)
    until(lambda: state_of(tenant, session_id) == "ended", f"ended; see {house.sink.log}")

    final = tenant.http.get(path).json()
    assert (final["recording_state"], final["transcription_state"]) == ("complete", "failed")
    codes = ["internal_error", "utterances_still_in_progress_when_recording_terminated"]
    assert final["failures"] == [f"transcript: utterances_failed: 2 of 46 ({', '.join(codes)})"]
    assert final["events"][-1]["event_metadata"]["transcription_errors"] == codes, "one failed, one never became final"
    assert [event["type"] for event in final["events"]][-1] == "post_processing_completed"
    again = tenant.create(stream_id)
    assert (again.status_code, again.json()) == (201, final), "a session that is over is returned as it is"
    assert tenant.end(stream_id).json() == final

    transcript_is_whole(tenant, path)
    events_are_paged(tenant, path)
    media_can_be_fetched(tenant, path)


def transcript_is_whole(tenant, path):
    heard = tenant.http.get(f"{path}/transcript").json()
    texts = [entry["transcription"]["transcript"] for entry in heard]
    assert texts == ["the first one, heard better", "sentence 1", "sentence 2"]
    captions = tenant.http.get(f"{path}/transcript", params={"engine": "zoom"}).json()
    assert [entry["timestamp_ms"] for entry in captions] == [START_MS + 1000 * number for number in range(40)]
    assert {entry["speaker_name"] for entry in captions} == {"Ada <L>"}
    assert len({entry["speaker_uuid"] for entry in captions}) == 1
    assert captions[0]["duration_ms"] == 600

    vtt = tenant.http.get(f"{path}/transcript", params={"format": "vtt"})
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert vtt.text.startswith(
        "WEBVTT\n\n1\n00:00:00.500 --> 00:00:01.100\n<v Ada &lt;L&gt;>the first one, heard better\n"
    )
    assert tenant.http.get(f"{path}/transcript", headers={"Accept": "text/vtt"}).text == vtt.text

    later = tenant.http.get(f"{path}/transcript", params={"updated_after": "2100-01-01T00:00:00Z"})
    assert later.json() == []
    earlier = tenant.http.get(f"{path}/transcript", params={"updated_after": "2020-01-01T00:00:00+00:00"})
    assert earlier.json() == heard
    for query, status in (
        ({"updated_after": "soon"}, 400), ({"engine": "x"}, 400), ({"format": "srt"}, 400),
        ({"async_transcription_id": "tran_1"}, 404), ({"unknown": "x"}, 200),
    ):  # fmt: skip
        assert tenant.http.get(f"{path}/transcript", params=query).status_code == status, query


def events_are_paged(tenant, path):
    first = tenant.http.get(f"{path}/participant_events").json()
    assert first["previous"] is None
    second = tenant.http.get(first["next"]).json()
    third = tenant.http.get(second["next"]).json()
    assert third["next"] is None
    found = [item["id"] for page in (first, second, third) for item in page["results"]]
    assert found == [f"pe_{number:03}" for number in range(60)]
    assert tenant.http.get(third["previous"]).json()["results"] == second["results"]
    assert tenant.http.get(second["previous"]).json()["results"] == first["results"]
    item = first["results"][3]
    assert (item["event_type"], item["event_data"], item["participant_name"]) == ("join", {}, "P3")
    empty = tenant.http.get(f"{path}/participant_events", params={"after": "2100-01-01T00:00:00Z"}).json()
    assert empty["results"] == []
    all_before = tenant.http.get(f"{path}/participant_events", params={"before": "2100-01-01T00:00:00Z"}).json()
    assert len(all_before["results"]) == 25
    assert tenant.http.get(f"{path}/participant_events", params={"after": "x"}).status_code == 400
    assert tenant.http.get(f"{path}/participant_events", params={"cursor": "x"}).status_code == 404


def media_can_be_fetched(tenant, path):
    media = tenant.http.get(f"{path}/media").json()
    assert media["start_timestamp_ms"] == START_MS - 500
    whole = fetched(media["url"])
    assert (whole.status_code, whole.content) == (200, MP4)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    head = fetched(media["url"], "HEAD")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(MP4)), b"")

    part = fetched(media["url"], headers={"Range": "bytes=100-299"})
    assert (part.status_code, part.content) == (206, MP4[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(MP4)}"
    tail = fetched(media["url"], headers={"Range": "bytes=-7"})
    assert (tail.status_code, tail.content) == (206, MP4[-7:])
    beyond = fetched(media["url"], headers={"Range": f"bytes={len(MP4)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(MP4)}")
    conditional = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert fetched(media["url"], headers=conditional).content == MP4
    conditional["If-Range"] = whole.headers["etag"]
    assert fetched(media["url"], headers=conditional).content == MP4[:10]

    url = httpx.URL(media["url"])
    expires = int(url.params["expires"])
    for changed in (
        url.copy_set_param("expires", str(expires + 1)),
        url.copy_set_param("signature", url.params["signature"].swapcase()),
        url.copy_set_param("signature", ""),
        url.copy_with(path=url.path.replace("recording.mp4", "other.mp4")),
        url.copy_with(query=None),
    ):
        refused = fetched(changed)
        assert refused.status_code == 403, changed
        assert refused.json() == {"error": "This link is not one of ours or has been changed."}


def test_an_expired_link_says_so(house):
    key = house.env["RTMS_OBJECTS_SIGNING_KEY"].encode()
    expired = fetched(signed_url(f"{house.url}/objects", key, "a/b.mp4", 1_000_000_000))
    assert (expired.status_code, expired.json()["error"]) == (403, "This link has expired. Ask for a new one.")
    missing = fetched(signed_url(f"{house.url}/objects", key, "a/b.mp4", 9_000_000_000))
    assert (missing.status_code, missing.json()) == (404, {"error": "No media file found"})
    outside = fetched(signed_url(f"{house.url}/objects", key, "../x", 9_000_000_000))
    assert outside.status_code in (403, 404)


def test_creating_twice_is_one_session_and_moves_it(house, tenant):
    first = tenant.create("twice").json()
    second = tenant.create("twice")
    assert second.status_code == 201
    assert second.json() == first
    moved = stream("twice") | {"server_urls": "wss://other.zoom.us"}
    assert tenant.http.post("/app_sessions", json={"zoom_rtms": moved}).json()["id"] == first["id"]


def test_refused_by_zoom_is_seen(house, tenant):
    session_id = tenant.create().json()["id"]
    epoch = house.others.state(session_id, FactKind.CLAIMED, worker="w")
    house.others.state(session_id, FactKind.CONNECTION_FAILED, epoch=epoch, reason="invalid_signature")
    until(lambda: state_of(tenant, session_id) == "fatal_error", "fatal_error")
    last = tenant.http.get(f"/app_sessions/{session_id}").json()["events"][-1]
    assert last["sub_type"] == "zoom_connection_failed"
    assert last["event_metadata"] == {"reason": "invalid_signature"}
    assert tenant.http.get(f"/app_sessions/{session_id}/media").status_code == 404


def test_lists(house):
    lister = house.tenant("lister")
    names = [lister.create(f"list-{number}").json()["id"] for number in range(30)]
    first = lister.http.get("/app_sessions").json()
    assert [item["id"] for item in first["results"]] == names[:25]
    assert first["previous"] is None
    assert first["next"].startswith(f"{house.url}/api/v1/app_sessions?cursor=")
    second = lister.http.get(first["next"]).json()
    assert [item["id"] for item in second["results"]] == names[25:]
    assert second["next"] is None
    assert lister.http.get(second["previous"]).json()["results"] == first["results"]

    lister.end("list-3")
    ending = lister.http.get("/app_sessions", params={"states": "disconnecting"}).json()["results"]
    assert [item["id"] for item in ending] == [names[3]]
    several = lister.http.get("/app_sessions?states=disconnecting&states=ended").json()["results"]
    assert several == ending
    assert lister.http.get("/app_sessions", params={"states": "x"}).status_code == 400
    assert lister.http.get("/app_sessions", params={"cursor": "x"}).status_code == 404
    assert lister.http.get("/app_sessions", params={"cursor": "x"}).json() == {"detail": "Invalid cursor"}


@pytest.mark.parametrize(
    "body",
    [
        {"zoom_rtms": {"event": "meeting.rtms_started", "event_ts": 1, "payload": stream("whole webhook")}},
        {"event": "meeting.rtms_started", "event_ts": 1, "payload": stream("body is the webhook")},
        {"zoom_rtms": {"payload": {"object": stream("object")}}},
        {"zoom_rtms": stream("list") | {"server_urls": [STREAM_URL, STREAM_URL]}},
    ],
)
def test_zooms_shapes_make_sessions(tenant, body):
    made = tenant.http.post("/app_sessions", json=body)
    assert made.status_code == 201, made.text
    stopped = {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": made.json()["zoom_rtms_stream_id"]}}
    assert tenant.http.post("/app_sessions/end", json={"zoom_rtms": stopped}).json()["state"] == "disconnecting"
