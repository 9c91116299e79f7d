"""What was recorded is transcribed once more: asked for, made by a process that is killed, told, read, deleted.

Everything is the real thing but the meeting and the speech service, which answers with the length of what it hears.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from deploy.local.server import Server
from schemas import topics
from schemas.async_transcriptions import MOST
from schemas.records import FactKind, OutputKind, ParticipantEvent, SessionChange, Stored, StoredTrack
from tests.support.house import House, Tenant
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.speech_service import KEY, Reply, SpeechServer, speech_server
from tests.support.spoken import START_MS, silence, voice
from tests.support.stored_sound import Heard, pieces, stored

T = START_MS
ADA, BO = 7, 9
SOUNDS = (
    Heard(ADA, T + 500, silence(400) + voice(1500) + silence(1100) + voice(900) + silence(900)),
    Heard(BO, T + 9_000, silence(400) + voice(1200, 3) + silence(900)),
)
WHO = [ADA, ADA, BO]
OPENAI = {"transcription_settings": {"openai": {"model": "gpt-4o-transcribe"}}}


def until(condition: Any, what: str) -> None:
    wait_for(condition, PATIENCE_S, lambda: f"not in time: {what}")


@pytest.fixture(scope="module")
def speech() -> Iterator[SpeechServer]:
    with speech_server(SpeechServer()) as server:
        yield server


@pytest.fixture(scope="module")
def transcription(house: House, speech: SpeechServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = house.env | {
        "RTMS_TRANSCRIPTION_OPENAI_BASE_URL": f"{speech.url}/v1",
        "RTMS_TRANSCRIPTION_OPENAI_API_KEY": KEY,
        "RTMS_TRANSCRIPTION_AFTERWARDS_IN_FLIGHT": "1",
    }
    process = service(
        ["-m", "processors", "transcription"], env, tmp_path_factory.mktemp("again") / "transcription.log"
    )
    process.start()
    yield process
    process.stop()


def recorded(house: House, tenant: Tenant) -> str:
    """A session that has ended, of which everybody's sound is stored."""
    kept = {"record_async_transcription_audio_chunks": True}
    session_id = str(tenant.create(recording_settings=kept).raise_for_status().json()["id"])
    objects = pieces(session_id, SOUNDS)
    for key, data in objects.items():
        path = Path(house.objects / key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    epoch = house.others.connect(session_id)
    house.others.disconnect(session_id, epoch)
    house.others.happen(session_id, [
        ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id=f"pe_{who}", event="join",
                         participant_id=who, participant_name=name, timestamp_ms=T + who)
        for who, name in ((ADA, "Ada"), (BO, "Bo"))
    ])  # fmt: skip
    house.others.say(session_id, [])
    tracks = tuple(
        StoredTrack(track=f"participant-{who}", count=len(listed)) for who, listed in stored(objects).items()
    )
    of = Stored(key="recording", size_bytes=1, start_ms=T, duration_ms=12_000, count=3)
    house.others.state(session_id, FactKind.RECORDING_STORED, stored=of, tracks=tracks)
    until(lambda: seen(tenant, session_id)["state"] == "ended", "ended")
    return session_id


def seen(tenant: Tenant, session_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = tenant.http.get(f"/app_sessions/{session_id}").json()
    return answer


def progress(tenant: Tenant, session_id: str) -> list[str]:
    return [one["state"] for one in seen(tenant, session_id)["async_transcriptions"]]


def told(house: House, session_id: str) -> list[str]:
    """How far the side transcripts were, as receivers of webhooks hear of it."""
    kafka, loader = house.others.kafka, PartitionLoader(house.others.kafka)
    places = [Place(topics.SESSION_CHANGES.name, number) for number in range(kafka.partitions)]
    changes = [
        house.others.decoder.decode(topics.SESSION_CHANGES, record.value)
        for record in loader.load(places, PATIENCE_S)
        if record.value is not None and record.key == session_id.encode()
    ]
    loader.close()
    return [
        change.change.metadata.split('"state":"')[1].split('"')[0]
        for change in changes
        if isinstance(change, SessionChange) and change.change.event_type == "async_transcription_state_change"
    ]


def test_what_was_recorded_is_transcribed_once_more_whoever_dies_meanwhile(
    house: House, tenant: Tenant, speech: SpeechServer, transcription: Server
) -> None:
    session_id = recorded(house, tenant)
    path, before = f"/app_sessions/{session_id}/transcript", len(speech.asked)
    holding = threading.Event()
    speech.plan.extend([Reply(body=b'{"text": "first"}'), Reply(held=holding)])
    made = tenant.http.post(path, json=OPENAI)
    assert made.status_code == 201, made.text
    asked = made.json()
    assert asked.keys() == {"bot_id", "id", "created_at", "updated_at", "state", "failure_data"}
    assert (asked["bot_id"], asked["id"][:5], asked["failure_data"]) == (session_id, "tran_", None)
    wanted = {"async_transcription_id": asked["id"]}
    until(lambda: len(speech.asked) == before + 2, f"the second utterance is asked for; see {transcription.log}")
    until(lambda: progress(tenant, session_id) == ["in_progress"], "that it is begun is known to whoever goes on")
    early = tenant.http.get(path, params=wanted)
    assert (early.status_code, early.json()["error"][:40]) == (400, "The async transcription is not complete:")
    transcription.kill()
    holding.set()
    transcription.start()
    until(lambda: progress(tenant, session_id) == ["complete"], f"complete; see {transcription.log}")
    said = tenant.http.get(path, params=wanted).json()
    assert [entry["speaker_name"] for entry in said] == ["Ada", "Ada", "Bo"]
    assert said[0]["transcription"]["transcript"] == "first"
    assert [entry["transcription"]["transcript"][:6] for entry in said[1:]] == ["heard ", "heard "]
    assert {(entry["engine"], entry["recognised_by"]) for entry in said} == {(asked["id"], "openai")}
    assert len(speech.asked) == before + 4, "what was written is not asked for again, what was cut off is"
    assert "WEBVTT" in tenant.http.get(path, params=wanted | {"format": "vtt"}).text
    assert tenant.http.get(path).json() == [], "the session's own transcript is another one"
    assert told(house, session_id) == ["in_progress", "complete"]


def test_four_of_a_session_however_many_ask_at_once(house: House, tenant: Tenant, transcription: Server) -> None:
    session_id = recorded(house, tenant)
    path = f"/app_sessions/{session_id}/transcript"
    with house.replica() as other, ThreadPoolExecutor(6) as asking:
        urls = [f"{base}{path}" for base in (f"{house.url}/api/v1", other) for _ in range(3)]
        answers = list(asking.map(lambda url: tenant.http.post(url, json=OPENAI), urls))
    assert sorted(answer.status_code for answer in answers) == [201] * MOST + [400] * 2
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {
        "This session has 4 async transcriptions already, and cannot have more."
    }
    until(lambda: progress(tenant, session_id) == ["complete"] * MOST, f"all of them; see {transcription.log}")
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert all(len(tenant.http.get(path, params={"async_transcription_id": one}).json()) == len(WHO) for one in ids)
    gone(house, tenant, session_id, ids)


def gone(house: House, tenant: Tenant, session_id: str, ids: set[str]) -> None:
    """What is deleted of the session is deleted of its side transcripts."""
    assert tenant.http.post(f"/app_sessions/{session_id}/delete_data").status_code == 200
    until(
        lambda: tenant.http.get(f"/app_sessions/{session_id}/data_deletion").json()["complete"],
        f"all of it is gone; see {house.sink.log}",
    )
    receipt = tenant.http.get(f"/app_sessions/{session_id}/data_deletion").json()
    counts = {part["part"]: part["count"] for part in receipt["erased"]}
    assert counts["rows"] >= MOST * len(WHO)
    assert counts["objects"] >= len(SOUNDS)
    for one in ids:
        read = tenant.http.get(f"/app_sessions/{session_id}/transcript", params={"async_transcription_id": one})
        assert (read.status_code, read.json()) == (200, [])


def test_a_service_that_refuses_fails_it_with_its_reason(
    house: House, tenant: Tenant, speech: SpeechServer, transcription: Server
) -> None:
    session_id = recorded(house, tenant)
    path = f"/bots/{session_id}/transcript"
    speech.plan.extend([Reply(status=401)] * len(WHO))
    asked = tenant.http.post(path, json=OPENAI).json()
    until(lambda: progress(tenant, session_id) == ["failed"], f"failed; see {transcription.log}")
    [one] = seen(tenant, session_id)["async_transcriptions"]
    assert one["failure_data"] == {"failure_reasons": ["credentials_invalid"]}
    answer = tenant.http.get(path, params={"async_transcription_id": asked["id"]})
    assert (answer.status_code, answer.json()) == (
        400, {"error": "The async transcription has failed (credentials_invalid). Ask for another one."},
    )  # fmt: skip


@pytest.mark.parametrize("namespace", ["app_sessions", "bots"])
def test_1_7_what_cannot_be_transcribed_afterwards(house: House, tenant: Tenant, namespace: str) -> None:
    session_id = tenant.create().json()["id"]
    path = f"/{namespace}/{session_id}/transcript"
    one = {"transcription_settings": ["Name exactly one provider, and none that needs the meeting."]}
    for body, expected in (
        ({}, {"transcription_settings": ["This field is required."]}),
        ({"transcription_settings": None}, {"transcription_settings": ["This field may not be null."]}),
        ({"transcription_settings": {}}, one),
        ({"transcription_settings": {"meeting_closed_captions": {}}}, one),
        ({"transcription_settings": {"moonshine": {}, "openai": {"model": "m"}}}, one),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ):
        answer = tenant.http.post(path, json=body)
        assert (answer.status_code, answer.json()) == (400, expected)

    def refused() -> str:
        answer = tenant.http.post(path, json=OPENAI)
        assert answer.status_code == 400
        return str(answer.json()["error"])

    assert refused() == "A session in state connecting cannot be transcribed once more. Wait for ended, ask again."
    house.finish(session_id)
    until(lambda: seen(tenant, session_id)["state"] == "ended", "ended")
    assert refused() == (
        "This session kept no audio to be transcribed: create it with "
        "record_async_transcription_audio_chunks in recording_settings."
    )
    nobody = tenant.http.post(f"/{namespace}/app_0000000000000000/transcript", json=OPENAI)
    assert (nobody.status_code, nobody.json()) == (404, {"error": "Bot not found"})
