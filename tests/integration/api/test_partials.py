"""What is being said, read live: beside the feed, by those who ask for it."""

from dataclasses import replace

from schemas import topics
from schemas.records import OutputKind, Utterance, UtteranceStatus
from tests.support.feeds import connected, listening, message
from tests.support.house import House, Tenant

T0_MS = 1_700_000_000_000


async def test_what_is_being_said_by_both_ways(house: House, tenant: Tenant) -> None:
    other = tenant.create().raise_for_status().json()["id"]
    plain = tenant.http.get(f"/app_sessions/{other}/transcript/stream", params={"partials": "true"})
    assert plain.status_code == 400
    assert "no partials. Ask for them when you create the session" in plain.text
    asked = {"moonshine": {"partials": True}, "meeting_closed_captions": {}}
    spoken = str(tenant.create(transcription_settings=asked).raise_for_status().json()["id"])
    house.others.connect(spoken)
    final = Utterance(session_id=spoken, kind=OutputKind.ITEM, utterance_id="utt_1", revision=1981, engine="moonshine",
                      text="hello world", start_ms=T0_MS, end_ms=T0_MS + 1500)  # fmt: skip
    partial = replace(final, revision=800, text="hello", status=UtteranceStatus.PARTIAL)
    url = f"{house.url}/api/v1/app_sessions/{spoken}/transcript/stream"
    async with (
        listening(url, tenant.key, partials="true") as feed,
        connected(f"{url}?partials=true", tenant.key) as ws,
        listening(url, tenant.key) as calm,
    ):
        house.others.write(topics.TRANSCRIPT_PARTIALS, spoken, partial)
        shown = await feed.next()
        assert (shown.id, shown.data["status"], shown.data["revision"]) == (None, "partial", 800)
        assert shown.data["transcription"] == {"transcript": "hello"}
        assert await message(ws) == shown
        house.others.write(topics.TRANSCRIPTS, spoken, final)
        told = await feed.next()
        assert (told.data["id"], told.data["revision"], told.data["status"]) == ("utt_1", 1981, "final")
        assert await message(ws) == told == await calm.next()
        house.others.write(topics.TRANSCRIPT_PARTIALS, spoken, replace(partial, revision=1600))
        house.others.write(topics.TRANSCRIPT_PARTIALS, spoken, replace(partial, utterance_id="utt_2", revision=900))
        nxt = await feed.next()
        assert (nxt.data["id"], nxt.data["revision"]) == ("utt_2", 900), "of what is final nothing is shown any more"
        assert await message(ws) == nxt
    async with listening(url, tenant.key, told.id, partials="true") as feed:
        house.others.write(topics.TRANSCRIPTS, spoken, Utterance(session_id=spoken, kind=OutputKind.END))
        assert [one.event for one in await feed.all()] == ["end"], "what was being said is shown to nobody later"
