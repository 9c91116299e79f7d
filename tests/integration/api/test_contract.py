"""The endpoints of the App Session contract, numbered as there, and what each answers."""

import time
import uuid

import httpx
import pytest

from schemas import ids, topics
from schemas.records import OutputKind, ParticipantEvent, Utterance
from tests.support.house import House, fetched, stream
from tests.support.meeting_events import chat, told_of
from tests.support.processes import PATIENCE_S, wait_for

T0_MS = 1_700_000_000_000
NOBODY = "app_0000000000000000"


def until(condition, what):
    wait_for(condition, PATIENCE_S, lambda: f"not in time: {what}")


@pytest.fixture(scope="module")
def over(house, tenant):
    """A session that has ended, with words, people and a recording."""
    session = tenant.create(metadata={"a": "b"}, deduplication_key=uuid.uuid4().hex).json()
    session_id = session["id"]
    fill(house, session_id)
    until(lambda: state(tenant, session_id) == "ended", f"ended; see {house.sink.log}")
    return session


def fill(house: House, session_id: str) -> None:
    epoch = house.others.connect(session_id)
    house.others.disconnect(session_id, epoch)
    said = [
        Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{n}", engine="zoom", text=f"word {n}",
                  participant_id=7, participant_name="Ada", start_ms=T0_MS + n, end_ms=T0_MS + n + 500)
        for n in range(3)
    ]  # fmt: skip
    came = [
        ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id=f"pe_{n}", event="join",
                         participant_id=n, participant_name=f"P{n}", timestamp_ms=T0_MS + n)
        for n in range(1, 31)
    ]  # fmt: skip
    wrote = told_of(session_id, topics.CHAT.name, [
        *(chat(session_id, 5, n, T0_MS + n, f"m{n}", f"message {n}") for n in range(1, 31)),
        chat(session_id, 5, 31, T0_MS + 90, "m3", "corrected", "update", chat_session={"type": 2}),
        chat(session_id, 5, 32, T0_MS + 91, "m4", "", "delete"),
        chat(session_id, 5, 33, T0_MS + 92, "m5", "👍", "add_reaction"),
    ])  # fmt: skip
    house.others.say(session_id, said)
    house.others.happen(session_id, [*came, *wrote])
    house.record(session_id, b"recorded" * 100, T0_MS, ["participant-2", "participant-10", "participant-99", "share"])


def state(tenant, session_id):
    return tenant.http.get(f"/app_sessions/{session_id}").json()["state"]


def refused(answer, error, status=404):
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_1_create_answers_the_documented_keys(tenant):
    made = tenant.create()
    assert made.status_code == 201
    keys = ("id", "metadata", "state", "events", "transcription_state", "recording_state", "deduplication_key",
            "zoom_rtms_stream_id")  # fmt: skip
    assert set(keys) <= made.json().keys()
    assert made.json()["id"].startswith("app_")
    assert len(made.json()["id"]) == 20
    [event] = made.json()["events"]
    assert "sub_type" not in event
    assert event["created_at"].endswith("Z")
    assert len(event["created_at"]) == len("2023-11-14T22:13:20.123000Z")


def test_1_4_end(tenant):
    stream_id = uuid.uuid4().hex
    refused(tenant.end(stream_id), "App session not found")
    tenant.create(stream_id)
    ended = tenant.end(stream_id)
    assert (ended.status_code, ended.json()["state"]) == (200, "disconnecting")
    assert ended.json()["events"][-1]["type"] == "app_session_disconnect_requested"
    assert (tenant.end(stream_id).status_code, tenant.end(stream_id).json()) == (200, ended.json())


def test_1_4_a_repeated_end_can_be_refused_by_a_switch(house, tenant):
    stream_id = uuid.uuid4().hex
    tenant.create(stream_id)
    with house.replica(RTMS_API_REPEATED_END="refuse") as url:
        body = {"zoom_rtms": {"rtms_stream_id": stream_id}}
        headers = {"Authorization": f"Token {tenant.key}"}
        statuses = [fetched(f"{url}/app_sessions/end", "POST", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in statuses] == [200, 400]
    text = "Event app_session_disconnect_requested not allowed when bot is in state Disconnecting. "
    assert statuses[1].json()["error"].startswith(text)


@pytest.mark.parametrize("body", [{}, {"zoom_rtms": None}, {"zoom_rtms": 3}, {"zoom_rtms": {}},
                                  {"zoom_rtms": {"rtms_stream_id": None}}, []])  # fmt: skip
def test_1_4_where_the_incumbent_answers_500_there_is_a_400(tenant, body):
    assert tenant.http.post("/app_sessions/end", json=body).status_code == 400


def test_1_5_media(tenant, over):
    media = tenant.http.get(f"/app_sessions/{over['id']}/media").json()
    assert media.keys() == {"url", "start_timestamp_ms"}
    assert media["start_timestamp_ms"] == T0_MS
    assert int(httpx.URL(media["url"]).params["expires"]) - time.time() > 1700
    refused(tenant.http.get(f"/app_sessions/{NOBODY}/media"), "App session not found")
    refused(tenant.http.get("/app_sessions/bot_0000000000000000/media"), "App session not found")
    early = tenant.create().json()["id"]
    refused(tenant.http.get(f"/app_sessions/{early}/media"), "No media file found for app session")


def test_tracks_are_listed_with_whose_they_are_and_links(tenant, over):
    path = f"/app_sessions/{over['id']}/media/tracks"
    tracks = tenant.http.get(path).json()["tracks"]
    assert [track["track"] for track in tracks] == ["participant-2", "participant-10", "participant-99", "share"]
    assert [track["participant_name"] for track in tracks] == ["P2", "P10", None, None]
    assert [track["kind"] for track in tracks] == ["audio", "audio", "audio", "share"]
    found = tenant.http.get(f"/bots/{over['id']}/participants").json()["results"]
    assert tracks[0]["participant_uuid"] == next(entry["uuid"] for entry in found if entry["name"] == "P2")
    assert {track["start_timestamp_ms"] for track in tracks} == {T0_MS}
    for track, media_type in zip(tracks, ["audio/mp4"] * 3 + ["video/mp4"], strict=True):
        assert int(httpx.URL(track["url"]).params["expires"]) - time.time() > 1700
        file = fetched(track["url"])
        assert (file.content, file.headers["content-type"]) == (track["track"].encode(), media_type)
    path = path.replace(over["id"], tenant.create().json()["id"])
    refused(tenant.http.get(path), "No media file found for app session")


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_1_6_transcript(tenant, over, namespace):
    path = f"/{namespace}/{over['id']}/transcript"
    heard = tenant.http.get(path).json()
    assert [entry["transcription"]["transcript"] for entry in heard] == ["word 0", "word 1", "word 2"]
    keys = {"speaker_name", "speaker_uuid", "speaker_user_uuid", "speaker_is_host", "timestamp_ms", "duration_ms",
            "transcription"}  # fmt: skip
    assert keys <= heard[0].keys()
    bad = tenant.http.get(path, params={"updated_after": "x"})
    assert bad.status_code == 400
    assert bad.json()["error"].startswith("Invalid updated_after format.")
    refused(tenant.http.get(path, params={"async_transcription_id": "tran_1"}), "Async Transcription not found")
    refused(tenant.http.get(f"/{namespace}/{NOBODY}/transcript"), "Bot not found")


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_1_7_deleted_words_stay_deleted_though_they_are_written_again(house, tenant, namespace):
    """Also when a processor that goes on for a dead one writes them anew; what is said later is kept."""
    session_id = tenant.create().json()["id"]
    path, receipt = f"/{namespace}/{session_id}/transcript", f"/{namespace}/{session_id}/transcript_deletion"
    epoch = house.others.connect(session_id)
    now_ms = int(time.time() * 1000)
    said = [spoken(session_id, f"word {n}", now_ms - 9000 + n) for n in range(3)]
    for utterance in said:
        house.others.write(topics.TRANSCRIPTS, session_id, utterance)
    until(lambda: len(tenant.http.get(path).json()) == 3, "the words")
    refused(tenant.http.get(receipt), "No transcript deletion was asked for")
    deleted = tenant.http.delete(path)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert tenant.http.get(path).json() == []
    assert tenant.http.get(receipt).json()["complete"], f"see {house.sink.log}"
    later = spoken(session_id, "later", int(time.time() * 1000) + 9000)  # the deletion is over, however long it took
    for utterance in (*said, later):
        house.others.write(topics.TRANSCRIPTS, session_id, utterance)
    until(lambda: len(tenant.http.get(path).json()) == 1, "what was said afterwards")
    house.sink.kill()
    house.sink.start()
    assert [entry["transcription"]["transcript"] for entry in tenant.http.get(path).json()] == ["later"]
    house.others.disconnect(session_id, epoch)
    end = Utterance(session_id=session_id, kind=OutputKind.END, count=4)
    house.others.write(topics.TRANSCRIPTS, session_id, end)
    until(lambda: tenant.http.get(f"/{namespace}/{session_id}").json()["transcription_state"] == "complete",
          "complete, though what is deleted is not there")  # fmt: skip


def spoken(session_id, text, start_ms):
    return Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{text}", engine="zoom", text=text,
                     start_ms=start_ms, end_ms=start_ms + 1)  # fmt: skip


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_1_8_participant_events(tenant, over, namespace):
    path = f"/{namespace}/{over['id']}/participant_events"
    first = tenant.http.get(path).json()
    assert first.keys() == {"next", "previous", "results"}
    assert len(first["results"]) == 25
    assert first["next"].startswith("http")
    assert f"/api/v1{path}?cursor=" in first["next"]
    keys = {"id", "participant_name", "participant_uuid", "participant_user_uuid", "participant_is_host", "event_type",
            "event_data", "timestamp_ms"}  # fmt: skip
    assert first["results"][0].keys() == keys
    assert tenant.http.get(path, params={"before": "2020-01-01T00:00:00Z"}).json()["results"] == []
    refused(tenant.http.get(f"/{namespace}/{NOBODY}/participant_events"), "Bot not found")


def test_8_a_bot(tenant, over):
    found = tenant.http.get(f"/bots/{over['id']}")
    assert found.status_code == 200
    session = tenant.http.get(f"/app_sessions/{over['id']}").json()
    assert found.json() == {
        "id": over["id"], "metadata": {"a": "b"}, "meeting_url": "app_session", "state": "ended",
        "events": session["events"], "transcription_state": "complete", "recording_state": "complete", "join_at": None,
        "deduplication_key": over["deduplication_key"],
    }  # fmt: skip
    refused(tenant.http.get(f"/bots/{NOBODY}"), "Bot not found")


def test_9_bots(tenant, over):
    def found(**query):
        answer = tenant.http.get("/bots", params=query)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == {"next", "previous", "results"}
        return [item["id"] for item in answer.json()["results"]]

    assert over["id"] in found(meeting_url="app_session", states="ended")
    assert found(meeting_url="https://zoom.us/j/1") == []
    assert found(deduplication_key=over["deduplication_key"]) == [over["id"]]
    assert found(deduplication_key="nobody's") == []
    assert found(join_at_after="2020-01-01T00:00:00Z") == found(join_at_before="2100-01-01T00:00:00Z") == []
    assert found(states=["joining", "scheduled"]) == []
    assert tenant.http.get("/bots", params={"join_at_after": "x"}).status_code == 400
    assert tenant.http.get("/bots", params={"states": "x"}).status_code == 400
    assert tenant.http.get("/bots", params={"cursor": "x"}).status_code == 404


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_10_metadata_may_be_replaced(tenant, namespace):
    session_id = tenant.create(metadata={"a": "b"}).json()["id"]
    path = f"/{namespace}/{session_id}"
    changed = tenant.http.patch(path, json={"metadata": {"c": "d"}})
    assert (changed.status_code, changed.json()["metadata"]) == (200, {"c": "d"})
    assert tenant.http.get(path).json() == changed.json()
    assert tenant.http.patch(path, json={"metadata": {}}).status_code == 400
    assert tenant.http.patch(path, json={"join_at": "2025-01-01T00:00:00Z"}).status_code == 400
    assert tenant.http.patch(path, json=[]).status_code == 400
    assert tenant.http.patch(path, json={}).json() == changed.json()
    assert tenant.http.patch(f"/{namespace}/{NOBODY}", json={"metadata": {"a": "b"}}).status_code == 404


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_11_nothing_is_deleted_by_delete(tenant, over, namespace):
    answer = tenant.http.delete(f"/{namespace}/{over['id']}")
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert tenant.http.delete(f"/{namespace}/{NOBODY}").status_code == 404


def test_12_the_recording_of_a_bot(tenant, over):
    assert tenant.http.get(f"/bots/{over['id']}/recording").json()["start_timestamp_ms"] == T0_MS
    early = tenant.create().json()["id"]
    refused(tenant.http.get(f"/bots/{early}/recording"), "No media file found for bot")
    refused(tenant.http.get(f"/bots/{NOBODY}/recording"), "Bot not found")


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_13_chat_messages(tenant, over, namespace):
    path = f"/{namespace}/{over['id']}/chat_messages"
    first = tenant.http.get(path).json()
    shown = [f"message {n}" if n != 3 else "corrected" for n in range(1, 31) if n != 4]
    assert [item["text"] for item in first["results"]] == shown[:25]
    second = tenant.http.get(first["next"]).json()
    assert [item["text"] for item in second["results"]] == shown[25:]
    assert second["next"] is None
    assert tenant.http.get(second["previous"]).json()["results"] == first["results"]
    assert first["results"][2] == {
        "id": ids.chat_message_id(over["id"], "m3"), "text": "corrected", "timestamp_ms": T0_MS + 3,
        "timestamp": T0_MS // 1000, "to": "only_bot", "sender_name": "P10",
        "sender_uuid": ids.participant_uuid(over["id"], 10), "sender_user_uuid": None,
        "additional_data": {"message_id": "m3", "chat_session": {"type": 2}, "revision": 30},
    }  # fmt: skip
    assert first["results"][0]["to"] == "everyone"
    assert tenant.http.get(path, params={"updated_after": "2020-01-01T00:00:00Z"}).json() == first | {
        "next": link_with(first["next"], "updated_after=2020-01-01T00%3A00%3A00Z")
    }
    assert tenant.http.get(path, params={"updated_after": "2100-01-01T00:00:00Z"}).json()["results"] == []
    assert tenant.http.get(path, params={"updated_after": "x"}).status_code == 400
    refused(tenant.http.get(f"/{namespace}/{NOBODY}/chat_messages"), "Bot not found")


def link_with(link, parameter):
    return link.replace("?", f"?{parameter}&")


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_14_participants(tenant, over, namespace):
    path = f"/{namespace}/{over['id']}/participants"
    first = tenant.http.get(path).json()
    assert [item["name"] for item in first["results"]] == [f"P{n}" for n in range(1, 26)]
    assert first["results"][0].keys() == {"id", "name", "uuid", "user_uuid", "is_host"}
    second = tenant.http.get(first["next"]).json()
    assert [item["name"] for item in second["results"]] == [f"P{n}" for n in range(26, 31)]
    assert second["next"] is None
    assert tenant.http.get(second["previous"]).json()["results"] == first["results"]
    one = first["results"][3]
    assert tenant.http.get(path, params={"id": one["id"]}).json()["results"] == [one]
    assert tenant.http.get(path, params={"is_host": "true"}).json()["results"] == []
    assert len(tenant.http.get(path, params={"is_host": "false"}).json()["results"]) == 25
    assert tenant.http.get(path, params={"is_host": "x"}).status_code == 400


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_15_delete_data(house, tenant, namespace):
    session_id = tenant.create(metadata={"a": "b"}).json()["id"]
    path = f"/{namespace}/{session_id}"
    early = tenant.http.post(f"{path}/delete_data")
    assert early.status_code == 400
    assert "connecting cannot be deleted" in early.json()["error"]
    fill(house, session_id)
    until(lambda: state(tenant, session_id) == "ended", "ended")
    url = tenant.http.get(f"/app_sessions/{session_id}/media").json()["url"]
    assert fetched(url).status_code == 200

    deleted = tenant.http.post(f"{path}/delete_data")
    assert (deleted.status_code, deleted.json()["state"]) == (200, "data_deleted")
    assert deleted.json()["events"][-1]["type"] == "data_deleted"
    assert deleted.json()["metadata"] == {"a": "b"}
    assert tenant.http.get(f"/app_sessions/{session_id}/media").status_code == 404
    assert fetched(url).status_code == 404
    assert tenant.http.get(f"{path}/transcript").json() == []
    for what in ("participants", "participant_events"):
        assert tenant.http.get(f"{path}/{what}").json()["results"] == []
    until(lambda: not list((house.objects / "sessions" / session_id).rglob("*.mp4")), "no object")
    assert tenant.http.post(f"{path}/delete_data").json() == deleted.json()


ONLY_BOTS = [("POST", "leave"), ("POST", "pause_recording"), ("POST", "resume_recording"), ("POST", "speech"),
             ("POST", "output_audio"), ("POST", "output_image"), ("POST", "output_video"),
             ("POST", "send_chat_message"), ("PATCH", "transcription_settings"),
             ("PATCH", "voice_agent_settings")]  # fmt: skip


@pytest.mark.parametrize(("method", "action"), ONLY_BOTS)
def test_16_to_18_what_only_bots_can_do_is_refused(tenant, over, method, action):
    answer = tenant.http.request(method, f"/bots/{over['id']}/{action}", json={})
    assert answer.status_code == 400
    assert action in answer.json()["error"]
    refused(tenant.http.request(method, f"/bots/{NOBODY}/{action}", json={}), "Bot not found")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/app_sessions/", "/bots/", "/app_sessions/end/", "/nothing"])
def test_1_1_a_path_that_matches_nothing_is_404_without_a_key(house, method, path):
    answer = house.http(None).request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})


def test_1_1_other_conventions(house, tenant):
    raw = {"Content-Type": "application/json"}
    broken = tenant.http.post("/app_sessions", content=b"{", headers=raw)
    assert broken.status_code == 400
    assert broken.json()["detail"].startswith("JSON parse error - ")
    form = tenant.http.post("/app_sessions", content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert (form.status_code, list(form.json())) == (415, ["detail"])
    listed = tenant.http.post("/app_sessions", json=[])
    expected = {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}
    assert (listed.status_code, listed.json()) == (400, expected)
    lower = fetched(f"{house.url}/api/v1/bots", headers={"Authorization": f"token {tenant.key}"})
    assert lower.status_code == 200
    assert tenant.http.get("/bots", params={"whatever": "x"}).status_code == 200


def test_1_3_6_the_fields_are_checked_before_the_key(tenant):
    key = uuid.uuid4().hex
    assert tenant.create(deduplication_key=key).status_code == 201
    assert tenant.create(deduplication_key=key, metadata={}).json().keys() == {"metadata"}
    clash = tenant.create(deduplication_key=key)
    assert clash.status_code == 400
    assert clash.json()["error"].startswith("Deduplication key already in use.")


def test_a_webhook_of_zoom_that_a_relay_forwards_twice_merges(tenant):
    payload = stream()
    first = tenant.http.post("/app_sessions", json={"zoom_rtms": payload}).json()
    second = tenant.http.post(
        "/app_sessions",
        json={"zoom_rtms": payload, "metadata": {"late": "yes"}, "recording_settings": {"format": "none"}},
    )
    assert (second.json()["id"], second.json()["metadata"]) == (first["id"], {"late": "yes"})
