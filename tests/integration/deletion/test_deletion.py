"""A session's data is deleted: the words are looked for everywhere, then everything is read and written again.

And of sessions that are archived: whoever asks sees no difference, and what is deleted of them is gone as well.
"""

import re
from contextlib import contextmanager

from schemas import topics
from schemas.deletion import CONSENT_REVOKED
from schemas.records import FactKind
from tests.integration.deletion.conftest import CHANGES, COMPACTED, LINES, ROWS, SIDE, until
from tests.support.house import fetched
from tests.support.processes import service
from tests.support.topics import configure

WORDS = 2 * LINES + SIDE + CHANGES
"""The words, and their deliveries: as many rows as records."""

RECORDS = WORDS + 3
"""The arrival and the two ends, too."""

STATES = (topics.PARTICIPANTS_STATE, topics.TRANSCRIPTION_STATE)


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
    assert parts(receipt) == {"objects": len(stored), "rows": WORDS + 1, "records": RECORDS}
    assert receipt["erased"][0]["size_bytes"] == size_bytes
    assert (receipt["reason"], receipt["completed_at"] >= receipt["requested_at"]) == ("asked", True)
    retained = {entry["topic"]: entry["is_replaced"] for entry in receipt["retained"]}
    replaced = {name for name, is_replaced in retained.items() if is_replaced}
    assert replaced == {topic.name for topic in (*COMPACTED, *STATES)}
    assert {topics.AUDIO.name, topics.RECORDING_SEGMENTS.name, topics.DEAD_LETTERS.name} <= retained.keys()
    dates = [entry["gone_by"] for entry in receipt["retained"] if not entry["topic"].endswith("-state")]
    assert all(date > receipt["completed_at"] for date in dates)
    assert village.traces(session_id, word) == []
    assert village.tenant.http.get(f"/bots/{session_id}/data_deletion").json() == receipt
    until(lambda: village.told(session_id)[-1].data["new_state"] == "data_deleted", "told that it is deleted")
    assert len(village.objects(kept)) == len(stored), "another session's are where they were"
    assert village.rows("kept" + word[4:])["utterances"] == ROWS["utterances"]


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
    assert word in fetched(subtitles).text
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
    assert word not in fetched(subtitles).text
    village.house.sink.start()
    village.house.objects_sink.start()
    until(lambda: village.receipt(session_id)["complete"], f"complete; see {village.house.sink.log}")
    assert parts(village.receipt(session_id)) == {"objects": objects, "rows": WORDS + 1, "records": RECORDS}
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
    assert parts(receipt()) == {"rows": WORDS, "records": WORDS}
    assert (receipt()["said_until"], receipt()["reason"]) == (None, "asked")
    assert words_left(village, session_id, word) == {*PEOPLE, "media"}
    village.replay(session_id, word)
    until(lambda: words_left(village, session_id, word) == {*PEOPLE, "media"}, "gone again")
    assert (len(village.objects(session_id)), village.state(session_id)) == (stored, "ended")
    assert village.tenant.http.delete(f"/app_sessions/{session_id}/transcript").status_code == 200
    assert parts(receipt()) == {"rows": WORDS, "records": WORDS}, "asking again changes nothing"


def test_what_was_kept_for_its_term_is_deleted_by_itself_when_the_sink_is_back(village, word):
    """Its end comes while no sink is there to hear of it, so only the log can know when the term is over."""
    made = village.tenant.create(retention_hours=0).raise_for_status().json()
    session_id = made["id"]
    epoch = village.house.others.connect(session_id)
    village.publish(session_id, word)
    until(lambda: village.rows(word).get("utterances") == ROWS["utterances"], "rows")
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

    until(are_forgotten, "the broker's files")


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


AT_ONCE = """
import runpy
from sinks.clickhouse import archiving, settled
archiving.AGAIN_S = 0.2
settled.Patience.least = classmethod(lambda cls, kafka: cls(1, 1))
runpy.run_module("sinks", run_name="__main__", alter_sys=True)
"""
"""The ClickHouse sink, for which a settled session is untouched for long when anything else has happened."""


@contextmanager
def archiving(village, folder):
    village.house.sink.stop()
    sink = service(["-c", AT_ONCE, "clickhouse"], village.house.env, folder / "archiving.log")
    sink.start()
    try:
        yield
    finally:
        sink.stop()
        village.house.sink.start()


def held(server, metric):
    """What a process says how many sessions it holds."""
    text = fetched(f"{server.url}/metrics").text
    return int(float(re.search(rf"^{re.escape(metric)} (\S+)$", text, re.MULTILINE)[1]))


def is_forgotten(village, session_id, *replicas):
    """Whether the log has no state of the session, and nobody's memory more than the log has."""
    left = village.states()
    views = [
        *(held(replica, "rtms_api_sessions") for replica in (village.house.api, *replicas)),
        held(village.house.lifecycle, "rtms_lifecycle_states"),
        held(village.webhooks, 'rtms_sink_webhooks_known{topic="app-sessions"}'),
    ]
    return session_id not in left and set(views) == {len(left)}


def asked(http, session_id, word, base=""):
    """Everything that can be asked about a session, but for what is new in each answer: signatures, jitter."""
    paths = [
        *(f"/{kind}/{session_id}" for kind in ("app_sessions", "bots")),
        *(
            f"/app_sessions/{session_id}/{path}"
            for path in (
                "transcript", "transcript/export?format=srt", "talk_time", "participants", "participant_events",
                "chat_messages", "stream", "data_deletion", "transcript_deletion",
            )
        ),
        f"/transcripts/search?query={word}", f"/webhook_deliveries?app_session_id={session_id}", "/app_sessions/app_0",
    ]  # fmt: skip
    answers = {path: http.get(base + path) for path in paths}
    told = {path: (answer.status_code, re.sub("^retry: .*", "", answer.text)) for path, answer in answers.items()}
    media = http.get(f"{base}/app_sessions/{session_id}/media").json()
    return told | {"media": fetched(media["url"]).content} if "url" in media else told


def test_an_archived_session_answers_as_before_and_what_is_deleted_of_it_is_gone(village, word, tmp_path):
    stream_id, tenant = f"archived {word[4:]}", village.tenant
    session_id = village.meeting(word, stream_id)
    subtitles, stranger = village.subtitles(session_id), village.house.tenant("stranger")
    before = asked(tenant.http, session_id, word)
    said, told = fetched(subtitles).text, len(village.told(session_id))
    assert "media" in before
    assert word in said

    other = tenant.create().json()["id"]

    def awaited(*replicas):
        def are_forgotten():
            # The log's clock goes on when something is written, and has to once more if a sink had more to say.
            village.house.others.state(other, FactKind.METADATA_REPLACED)
            return is_forgotten(village, session_id, *replicas)

        until(are_forgotten, f"archived; see {tmp_path}/archiving.log")

    with archiving(village, tmp_path):
        awaited()
        with village.house.another() as (fresh, replica):
            awaited(replica)
            for base in ("", fresh):
                assert asked(tenant.http, session_id, word, base) == before
                assert stranger.http.get(f"{base}/app_sessions/{session_id}").status_code == 404
        assert session_id in [session["id"] for session in tenant.http.get("/app_sessions").json()["results"]]
        assert fetched(subtitles).text == said
        assert village.subtitles(session_id)
        whole = tenant.http.get(f"/app_sessions/{session_id}").json()
        assert [answer.json() for answer in (tenant.end(stream_id), tenant.create(stream_id))] == [whole, whole]

        changed = tenant.http.patch(f"/bots/{session_id}", json={"metadata": {"deal": "8"}}).json()
        assert changed["metadata"] == {"deal": "8"}
        awaited()
        assert tenant.http.get(f"/app_sessions/{session_id}").json() == whole | {"metadata": {"deal": "8"}}

        assert village.delete(session_id).json()["state"] == "data_deleted"
        until(lambda: village.receipt(session_id)["complete"], "complete")
        awaited()
        assert village.traces(session_id, word) == []
        assert village.receipt(session_id)["complete"]
        until(lambda: len(village.told(session_id)) == told + 1, "told of the deletion, and of nothing else again")
        assert village.told(session_id)[-1].data["new_state"] == "data_deleted"
    assert village.state(session_id) == "data_deleted"
