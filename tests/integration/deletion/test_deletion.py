"""A session's data is deleted: the words are looked for everywhere, then everything is read and written again."""

import httpx

from schemas import topics
from schemas.deletion import CONSENT_REVOKED
from schemas.records import FactKind
from tests.integration.deletion.conftest import COMPACTED, LINES, until
from tests.support.topics import configure

RECORDS = 2 * LINES + 3
"""The words, the arrival, the two ends, and each word's delivery."""


def parts(receipt):
    return {part["part"]: part["count"] for part in receipt["erased"]}


def test_what_is_deleted_is_gone_everywhere_and_the_receipt_says_so(village, word):
    session_id = village.meeting(word)
    kept = village.meeting("kept" + word[4:])
    shown = ["transcript", "transcript/export?format=json", "talk_time", "participants", "participant_events", "search",
             "deliveries", "media"]  # fmt: skip
    assert village.answers(session_id, word) == shown, "there is something to look for"
    assert set(village.records(session_id, word)) == {topic.name for topic in COMPACTED}
    assert village.tenant.http.get(f"/app_sessions/{session_id}/data_deletion").status_code == 404
    stored = village.objects(session_id)
    size_bytes = sum(path.stat().st_size for path in stored)

    answer = village.delete(session_id)

    assert (answer.status_code, answer.json()["state"]) == (200, "data_deleted")
    until(lambda: village.receipt(session_id)["complete"], f"complete; see {village.house.sink.log}")
    receipt = village.receipt(session_id)
    assert parts(receipt) == {"objects": len(stored), "rows": 2 * LINES + 1, "records": RECORDS}
    assert receipt["erased"][0]["size_bytes"] == size_bytes
    assert (receipt["reason"], receipt["completed_at"] >= receipt["requested_at"]) == ("asked", True)
    retained = {entry["topic"]: entry["is_replaced"] for entry in receipt["retained"]}
    replaced = {name for name, is_replaced in retained.items() if is_replaced}
    assert replaced == {topic.name for topic in (*COMPACTED, topics.PARTICIPANTS_STATE)}
    assert {topics.AUDIO.name, topics.RECORDING_SEGMENTS.name, topics.DEAD_LETTERS.name} <= retained.keys()
    dates = [entry["gone_by"] for entry in receipt["retained"] if entry["topic"] != topics.PARTICIPANTS_STATE.name]
    assert all(date > receipt["completed_at"] for date in dates)
    assert village.traces(session_id, word) == []
    assert village.tenant.http.get(f"/bots/{session_id}/data_deletion").json() == receipt
    until(lambda: village.told(session_id)[-1].data["new_state"] == "data_deleted", "told that it is deleted")
    assert len(village.objects(kept)) == len(stored), "another session's are where they were"
    assert village.rows("kept" + word[4:])["utterances"] == LINES


def test_what_is_read_or_written_again_afterwards_stays_gone(village, word):
    """Sinks that begin at the first record; then a processor that writes all of it again, below running sinks."""
    session_id = village.meeting(word)
    village.delete(session_id)
    until(lambda: village.receipt(session_id)["complete"], "complete")
    told = len(village.told(session_id))
    village.replay(session_id, word)
    assert village.traces(session_id, word) == []
    village.publish(session_id, word)
    village.caught_up()
    until(lambda: village.traces(session_id, word) == [], "gone again")
    village.webhooks.stop()
    village.webhooks.start()
    village.publish(session_id, word)
    village.caught_up()
    until(lambda: village.traces(session_id, word) == [], "gone again")
    assert {one.json["trigger"] for one in village.told(session_id)[told:]} <= {"bot.state_change"}
    assert village.receipt(session_id)["complete"]


def test_sinks_that_are_away_or_killed_make_up_for_it(village, word, clickhouse):
    """Asked for while ClickHouse is away and the objects sink is dead: hidden at once, erased when they are back."""
    session_id = village.meeting(word)
    objects, subtitles = len(village.objects(session_id)), village.subtitles(session_id)
    assert word in httpx.get(subtitles, trust_env=False).text
    village.house.objects_sink.kill()
    clickhouse.stop()
    try:
        answer = village.delete(session_id)
        assert (answer.status_code, answer.json()["state"]) == (200, "data_deleted")
        receipt = village.receipt(session_id)
        assert (receipt["complete"], receipt["completed_at"]) == (False, None)
        media = village.tenant.http.get(f"/app_sessions/{session_id}/media")
        assert media.status_code == 404
        village.house.sink.kill()
    finally:
        clickhouse.start()
    assert village.rows(word), "it is only hidden by now"
    assert village.answers(session_id, word) == []
    assert word not in httpx.get(subtitles, trust_env=False).text
    village.house.sink.start()
    village.house.objects_sink.start()
    until(lambda: village.receipt(session_id)["complete"], f"complete; see {village.house.sink.log}")
    assert parts(village.receipt(session_id)) == {"objects": objects, "rows": 2 * LINES + 1, "records": RECORDS}
    assert village.traces(session_id, word) == []


def words_left(village, session_id, word):
    return {name for name in village.traces(session_id, word) if not str(name).startswith("/")}


PEOPLE = {"participant_events", "participants", "participant-events"}
"""Where the word is left that somebody has as a name: they are not what was said."""


def test_a_transcript_alone_is_gone_everywhere_and_stays_so(village, word):
    session_id = village.meeting(word)
    stored = len(village.objects(session_id))

    answer = village.tenant.http.delete(f"/app_sessions/{session_id}/transcript")

    assert (answer.status_code, answer.content) == (200, b"")
    receipt = lambda: village.tenant.http.get(f"/app_sessions/{session_id}/transcript_deletion").json()  # noqa: E731
    until(lambda: receipt()["complete"], f"complete; see {village.house.sink.log}")
    assert parts(receipt()) == {"rows": 2 * LINES, "records": 2 * LINES}
    assert (receipt()["said_until"], receipt()["reason"]) == (None, "asked")
    assert words_left(village, session_id, word) == {*PEOPLE, "media"}
    village.replay(session_id, word)
    until(lambda: words_left(village, session_id, word) == {*PEOPLE, "media"}, "gone again")
    assert (len(village.objects(session_id)), village.state(session_id)) == (stored, "ended")
    assert village.tenant.http.delete(f"/app_sessions/{session_id}/transcript").status_code == 200
    assert parts(receipt()) == {"rows": 2 * LINES, "records": 2 * LINES}, "asking again changes nothing"


def test_what_was_kept_for_its_term_is_deleted_by_itself_when_the_sink_is_back(village, word):
    """Its end comes while no sink is there to hear of it, so only the log can know when the term is over."""
    made = village.tenant.create(retention_hours=0).raise_for_status().json()
    session_id = made["id"]
    epoch = village.house.others.connect(session_id)
    village.publish(session_id, word)
    until(lambda: village.rows(word).get("utterances") == LINES, "rows")
    village.house.sink.kill()
    village.house.others.disconnect(session_id, epoch)
    for kind in (FactKind.RECORDING_STORED, FactKind.TRANSCRIPT_STORED, FactKind.EVENTS_STORED):
        village.house.others.state(session_id, kind)
    until(lambda: village.state(session_id) == "ended", "ended")
    ended = village.tenant.http.get(f"/app_sessions/{session_id}").json()
    assert (ended["retention_hours"], ended["expires_at"]) == (0, ended["events"][-1]["created_at"])
    village.house.sink.start()
    until(lambda: village.state(session_id) == "data_deleted", f"deleted; see {village.house.sink.log}")
    until(lambda: village.receipt(session_id)["complete"], "complete")
    village.caught_up()
    until(lambda: village.traces(session_id, word) == [], "gone")
    assert village.receipt(session_id)["reason"] == "retention"


COMPACTED_SOON = {"segment.ms": "500", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "500",
                  "file.delete.delay.ms": "100"}  # fmt: skip


def test_the_brokers_files_forget_it_when_they_are_compacted(village, word):
    session_id = village.meeting(word)
    for topic in COMPACTED:
        assert village.on_disk(topic, session_id, word), f"there is something to forget on {topic.name}"
        for name, value in COMPACTED_SOON.items():
            configure(village.kafka, topic, name, value)
    village.delete(session_id)

    def are_forgotten():
        for topic in COMPACTED:
            village.stir(topic, session_id)
        return not any(village.on_disk(topic, session_id, word) for topic in COMPACTED)

    until(are_forgotten, "the broker's files", 60)


def test_a_revoked_consent_deletes_what_there_is_at_once_and_whatever_comes_after_it(village, word):
    """Stated while the meeting's results are on their way; it is brought to its end, and nothing of it is stored."""
    session_id = village.tenant.create().json()["id"]
    epoch = village.house.others.connect(session_id)
    results = village.results(session_id, word)
    for topic, item_id, record in results[::2]:
        village.write(topic, session_id, item_id, record)
    until(lambda: village.rows(word), "something is there")
    village.house.others.state(session_id, FactKind.DATA_DELETED, source="ingest", reason=CONSENT_REVOKED)
    for topic, item_id, record in results[1::2]:
        village.write(topic, session_id, item_id, record)
    village.house.others.disconnect(session_id, epoch)
    until(lambda: village.state(session_id) == "data_deleted", "deleted")
    until(lambda: village.receipt(session_id)["complete"], "complete")
    village.caught_up()
    until(lambda: village.traces(session_id, word) == [], "gone")
    assert village.receipt(session_id)["reason"] == CONSENT_REVOKED
    events = village.tenant.http.get(f"/app_sessions/{session_id}").json()["events"]
    assert [event["type"] for event in events[-2:]] == ["post_processing_completed", "data_deleted"]
    assert events[-1]["event_metadata"] == {"source": "zoom", "reason": CONSENT_REVOKED}
