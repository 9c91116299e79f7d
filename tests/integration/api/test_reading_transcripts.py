"""Transcripts as files, searched and counted, on a real log and a real ClickHouse engine."""

import random
import uuid
from collections.abc import Iterator

import pytest

from api.pages import Cursor
from api.transcript_formats import one_line
from api.transcripts import exports
from api.transcripts.folding import folded, folded_in_sql
from api.transcripts.searching import Search, statement
from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from schemas import ids
from schemas.clickhouse import UTTERANCES, version
from schemas.records import OutputKind, Utterance, UtteranceStatus
from tests.support.house import House, Tenant
from tests.support.processes import PATIENCE_S, wait_for

T0_MS = 1_700_000_000_000
BOTH = {"meeting_closed_captions": {}, "moonshine": {"language": "en"}}
HOSTILE = "1 --> 2\r\n\r\n<script>alert('\x00')</script> \u202egnirts &lt; {\\an8} \"quoted\" 'x' \\ * _ # `"


def until(condition, what, timeout_s=PATIENCE_S):
    wait_for(condition, timeout_s, lambda: f"not in time: {what}")


@pytest.fixture(scope="module")
def store(house: House) -> Iterator[ClickHouse]:
    """What the sink writes to: for rows by the thousand, and for rows that it writes late."""
    client = ClickHouse(ClickHouseSettings(url=house.env["RTMS_CLICKHOUSE_URL"]))
    yield client
    client.close()


def row(session_id: str, number: int, text: str = "", **changes: object) -> dict[str, object]:
    return {
        "session_id": session_id, "engine": "zoom", "start_ms": T0_MS + 1000 * number,
        "utterance_id": f"utt_{number:06}", "end_ms": T0_MS + 1000 * number + 900, "revision": 0, "status": "final",
        "participant_id": 7, "participant_name": "Ada", "language": "en", "text": text, "reason": None,
        "recognised_by": None, "model": None, "words": "[]", "withdraws": False,
        "updated_at_ms": T0_MS, "_partition": 0, "_offset": number,
    } | changes  # fmt: skip


def said(session_id: str, number: int, text: str = "", **changes: object) -> Utterance:
    fields: dict[str, object] = {
        "utterance_id": f"utt_{number:06}", "engine": "zoom", "text": text, "participant_id": 7,
        "participant_name": "Ada", "start_ms": T0_MS + 1000 * number, "end_ms": T0_MS + 1000 * number + 900,
        "language": "en",
    } | changes  # fmt: skip
    return Utterance(session_id=session_id, kind=OutputKind.ITEM, **fields)  # type: ignore[arg-type]


def created(tenant: Tenant, **fields: object) -> str:
    return str(tenant.create(**fields).raise_for_status().json()["id"])


def listed(store: ClickHouse, session_id: str) -> bool:
    """Whether ClickHouse knows whose the session is."""
    asked = {"id": session_id}
    return bool(store.query("SELECT 1 FROM app_sessions WHERE session_id = {id:String}", asked))


def exported(tenant, session_id, form, **query):
    answer = tenant.http.get(f"/app_sessions/{session_id}/transcript/export", params={"format": form} | query)
    assert answer.status_code == 200, answer.text
    return answer


def search(tenant, **query):
    answer = tenant.http.get("/transcripts/search", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(tenant, **query):
    return [hit["transcription"]["transcript"] for hit in search(tenant, **query)["results"]]


def test_files_while_a_meeting_goes_on_and_when_it_is_over(house, tenant):
    session_id = created(tenant, recording_settings={"format": "none"})
    for form in exports.FORMATS:
        nothing = exported(tenant, session_id, form)
        assert nothing.headers["x-transcription-state"] == "not_started"
        assert "Ada" not in nothing.text
    epoch = house.others.connect(session_id)
    until(lambda: exported(tenant, session_id, "txt").headers["x-transcription-state"] == "in_progress", "connected")
    house.others.disconnect(session_id, epoch)
    house.others.say(
        session_id,
        [
            said(session_id, 0, "hullo"), said(session_id, 0, "hello", revision=1),
            said(session_id, 1, HOSTILE, participant_name="Eve\n\n<v Ada>: "),
            said(session_id, 1, "meanwhile", utterance_id="utt_other", participant_id=8, participant_name=None,
                 end_ms=T0_MS + 9000),
            said(session_id, 3, status=UtteranceStatus.FAILED, reason="timed_out"),
            said(session_id, 4, "half", status=UtteranceStatus.PARTIAL),
        ],
    )  # fmt: skip
    house.others.happen(session_id, [])
    path = f"/app_sessions/{session_id}"
    until(lambda: tenant.http.get(path).json()["state"] == "ended", f"ended; see {house.sink.log}")

    hostile, name = one_line(HOSTILE), "Eve <v Ada>:"
    lines = exported(tenant, session_id, "txt").text.splitlines()
    assert lines == [
        f"Transcript of {session_id} by zoom", "Times count from 2023-11-14T22:13:20.000000Z.", "",
        "[00:00:00] Ada: hello", f"[00:00:01] {name}: {hostile}", "[00:00:01] meanwhile",
        "[00:00:03] Ada: [not transcribed]",
    ]  # fmt: skip
    srt = exported(tenant, session_id, "srt")
    assert srt.text.startswith("1\n00:00:00,000 --> 00:00:00,900\nAda: hello\n\n2\n00:00:01,000 --> 00:00:01,900\n")
    assert srt.text.endswith("\n\n3\n00:00:01,000 --> 00:00:09,000\nmeanwhile\n\n")
    assert srt.text.count(" --> ") == 3
    vtt = exported(tenant, session_id, "vtt")
    assert vtt.text == tenant.http.get(f"{path}/transcript", params={"format": "vtt"}).text
    assert "<v Ada>hello" in vtt.text
    document = exported(tenant, session_id, "json").json()
    assert [entry["transcription"] for entry in document.pop("utterances")] == [
        {"transcript": "hello"}, {"transcript": HOSTILE}, {"transcript": "meanwhile"}, None,
    ]  # fmt: skip
    assert document == {
        "app_session_id": session_id, "engine": "zoom", "state": "ended", "transcription_state": "failed",
        "start_timestamp_ms": T0_MS,
    }  # fmt: skip
    assert "\n`00:00:03` **Ada:** *not transcribed*\n" in exported(tenant, session_id, "md").text
    for form, kind in (("vtt", "text/vtt"), ("srt", "application/x-subrip"), ("txt", "text/plain"),
                       ("md", "text/markdown"), ("json", "application/json")):  # fmt: skip
        answer = exported(tenant, session_id, form)
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert answer.headers["content-disposition"] == f'attachment; filename="{session_id}-transcript.{form}"'
        assert answer.headers["x-transcription-state"] == "failed"
    for query in ({}, {"format": "pdf"}, {"format": "vtt", "engine": "moonshine"}):
        assert tenant.http.get(f"{path}/transcript/export", params=query).status_code == 400, query
    lost_counts_too(tenant, session_id)


def lost_counts_too(tenant, session_id):
    talk = tenant.http.get(f"/app_sessions/{session_id}/talk_time").json()
    assert talk == {
        "app_session_id": session_id, "engine": "zoom", "transcription_state": "failed", "speaking_ms": 8000 + 2700,
        "participants": [
            {"uuid": ids.participant_uuid(session_id, 8), "name": None, "speaking_ms": 8000, "share": 0.7477,
             "utterances": 1},
            {"uuid": ids.participant_uuid(session_id, 7), "name": "Ada", "speaking_ms": 2700, "share": 0.2523,
             "utterances": 3},
        ],
    }  # fmt: skip


def test_who_asks_for_what_has_changed_learns_what_was_deleted_and_nobody_else(tenant, store):
    """In files, counts and the whole transcript it is as if it had never been said."""
    session_id = created(tenant)
    path, later = f"/app_sessions/{session_id}/transcript", {"updated_after": "2023-11-14T22:13:20Z"}

    def heard(**query):
        return tenant.http.get(path, params=query).raise_for_status().json()

    rows = [row(session_id, number, text) for number, text in enumerate(("taken back", "as it was", "", "corrected"))]
    store.insert(UTTERANCES, rows)
    first = heard()
    assert [entry["transcription"]["transcript"] for entry in first] == ["taken back", "as it was", "corrected"]
    assert heard(**later) == []
    changed = {"revision": 2, "updated_at_ms": T0_MS + 1, "_offset": version(2, 9)}
    gone, right = {"text": "", "withdraws": True}, {"text": "put right"}
    store.insert(UTTERANCES, [rows[0] | changed | gone, rows[3] | changed | right, rows[2] | changed])
    assert heard(**later) == [
        first[0] | {"transcription": {"transcript": ""}}, first[2] | {"transcription": {"transcript": "put right"}},
    ]  # fmt: skip
    assert heard() == [first[1], heard(**later)[1]]
    assert heard(updated_after="2023-11-14T22:13:20.001Z") == []
    assert tenant.http.get(path, params=later | {"format": "vtt"}).text.count(" --> ") == 1
    assert [entry["id"] for entry in exported(tenant, session_id, "json").json()["utterances"]] == [
        first[1]["id"], first[2]["id"],
    ]  # fmt: skip
    [talk] = tenant.http.get(f"/app_sessions/{session_id}/talk_time").json()["participants"]
    assert talk["utterances"] == 2


def test_a_long_transcript_is_whole(tenant, store):
    session_id = created(tenant)
    count, megabyte = 2 * exports.READ + 7, "word " * 200_000
    rows = [row(session_id, number, f"line {number}", start_ms=T0_MS + number // 3) for number in range(count)]
    rows[700]["text"] = megabyte
    random.Random(1).shuffle(rows)
    store.insert(UTTERANCES, rows)
    wanted = [f"line {number}" for number in range(count)]
    wanted[700] = megabyte
    found = exported(tenant, session_id, "json").json()["utterances"]
    assert [entry["transcription"]["transcript"] for entry in found] == wanted
    lines = exported(tenant, session_id, "txt").text.splitlines()
    assert [line.partition("Ada: ")[2] for line in lines if line.startswith("[")] == [one_line(text) for text in wanted]
    assert exported(tenant, session_id, "vtt").text.count(" --> ") == count


def test_talk_time_is_what_each_spoke_however_it_overlaps(tenant, store):
    session_id, chance = created(tenant), random.Random(7)
    rows, moments = [], {}
    for number in range(400):
        start, length, who = chance.randrange(20_000), chance.randrange(400), chance.randrange(5)
        rows.append(row(session_id, number, "x", start_ms=T0_MS + start, end_ms=T0_MS + start + length,
                        participant_id=who, participant_name=f"P{who}"))  # fmt: skip
        moments.setdefault(f"P{who}", set()).update(range(start, start + length))
    store.insert(UTTERANCES, rows)
    talk = tenant.http.get(f"/app_sessions/{session_id}/talk_time").json()
    assert {entry["name"]: entry["speaking_ms"] for entry in talk["participants"]} == {
        name: len(moment) for name, moment in moments.items()
    }
    assert talk["speaking_ms"] == sum(map(len, moments.values()))
    assert sum(entry["share"] for entry in talk["participants"]) == pytest.approx(1, abs=0.001)
    assert [entry["speaking_ms"] for entry in talk["participants"]] == sorted(
        (len(moment) for moment in moments.values()), reverse=True
    )
    silent = tenant.http.get(f"/app_sessions/{created(tenant)}/talk_time").json()
    assert (silent["speaking_ms"], silent["participants"]) == (0, [])
    assert tenant.http.get(f"/app_sessions/{session_id}/talk_time", params={"engine": "x"}).status_code == 400


@pytest.fixture(scope="module")
def searched(house, tenant, stranger, store) -> dict[str, str]:
    """Sessions of two projects that say the same."""
    sessions = {
        "zoom": created(tenant), "both": created(tenant, transcription_settings=BOTH), "strangers": created(stranger),
    }  # fmt: skip
    rows = []
    for name, session_id in sessions.items():
        rows += [
            row(session_id, 0, "The <b>Éclair</b> budget", participant_name="Zoë"),
            row(session_id, 1, "Das Budget für nächstes Jahr", language="de-DE"),
            row(session_id, 2, f"only in {name}"),
            row(session_id, 3, "half a budget", status="partial"),
            row(session_id, 4, "misheard budget", _offset=4),
            row(session_id, 4, "heard better", _offset=5, revision=1),
        ]
    rows.append(row(sessions["both"], 0, "the eclair budget by moonshine", engine="moonshine", utterance_id="utt_m"))
    store.insert(UTTERANCES, rows)
    until(lambda: all(listed(store, session_id) for session_id in sessions.values()), "sessions listed")
    return sessions


def test_a_search_finds_words_in_whatever_case_with_whatever_accents(tenant, searched):
    [first, second] = search(tenant, query="ECLAIR budget")["results"]
    assert {first["app_session_id"], second["app_session_id"]} == {searched["zoom"], searched["both"]}
    found = {hit["app_session_id"]: hit for hit in (first, second)}
    hit = found[searched["zoom"]]
    assert hit["highlight"] == "The &lt;b&gt;<mark>Éclair</mark>&lt;/b&gt; <mark>budget</mark>"
    assert hit["transcription"] == {"transcript": "The <b>Éclair</b> budget"}
    assert (hit["speaker_name"], hit["timestamp_ms"], hit["duration_ms"], hit["engine"], hit["language"]) == (
        "Zoë", T0_MS, 900, "zoom", "en",
    )  # fmt: skip
    assert hit["speaker_uuid"] == ids.participant_uuid(searched["zoom"], 7)
    assert found[searched["both"]]["engine"] == "moonshine", "a session's first engine, as in its transcript"


def read(store, tenant, *words):
    """The sessions in what ClickHouse answers, before the live view has been asked."""
    found = store.query(*statement(tenant.project_id, Search(words=words), Cursor(), 5))
    return {entry["session_id"] for entry in found}


def test_a_search_stays_in_its_project(tenant, stranger, store, searched):
    assert read(store, tenant, "only") == {searched["zoom"], searched["both"]}
    assert read(store, stranger, "only") == {searched["strangers"]}
    assert texts(tenant, query="only") == ["only in zoom"], "and in the first engine's transcript"
    assert texts(tenant, query="only", engine="zoom") in (
        ["only in zoom", "only in both"], ["only in both", "only in zoom"],
    )  # fmt: skip
    assert texts(stranger, query="only") == ["only in strangers"]
    assert texts(stranger, query="only", app_session_id=searched["zoom"]) == []
    assert texts(tenant, query="only", app_session_id=searched["strangers"]) == []


def test_only_the_last_revision_is_found_and_only_what_is_final(tenant, searched):
    within = {"app_session_id": searched["zoom"]}
    assert texts(tenant, query="misheard", **within) == []
    assert texts(tenant, query="better", **within) == ["heard better"]
    assert texts(tenant, query="half", **within) == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [({}, 2), ({"speaker": "zoe"}, 1), ({"speaker": "ADA"}, 1), ({"speaker": "Bob"}, 0), ({"language": "de"}, 1),
     ({"language": "DE-de"}, 1), ({"language": "d"}, 0), ({"language": "en"}, 1), ({"engine": "moonshine"}, 0),
     ({"after": "2023-11-14T22:13:21Z"}, 1), ({"before": "2023-11-14T22:13:21Z"}, 1),
     ({"updated_after": "2023-11-14T22:13:19.999Z"}, 2), ({"updated_after": "2023-11-14T22:13:20Z"}, 0)],
)  # fmt: skip
def test_filters(tenant, searched, filters, count):
    found = texts(tenant, query="budget", app_session_id=searched["zoom"], **filters)
    assert len(found) == count


@pytest.mark.parametrize(
    "query",
    ["'", "\\", "%", "_", "?",
     "{text:String}", "budget'; DROP TABLE utterances --", "\\'", "a\tb", "\x00", "]", "🎉", "')",
     '"éclair</b> budget"', "漢"],
)  # fmt: skip
def test_odd_queries_find_what_they_say(tenant, store, searched, query):
    said_here = "it's 100% {text:String} \\ _ 漢字 🎉?"
    session_id = created(tenant)
    store.insert(UTTERANCES, [row(session_id, 0, said_here)])
    until(lambda: listed(store, session_id), "listed")
    words = [word.strip('"') for word in ([query] if query.startswith('"') else query.split())]
    wanted = [said_here] if all(folded(word) in folded(said_here) for word in words) else []
    assert texts(tenant, query=query, app_session_id=session_id) == wanted
    assert len(texts(tenant, query="budget", app_session_id=searched["zoom"])) == 2, "and nothing is broken by it"


@pytest.mark.parametrize(
    "query",
    [{}, {"query": ""}, {"query": " "}, {"query": "x" * 201}, {"query": "a b c d e f g h i j k"}, {"query": '""'},
     {"query": "x", "speaker": "y" * 201}, {"query": "x", "after": "soon"}, {"query": "x", "engine": "whisper"}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(tenant, query):
    answer = tenant.http.get("/transcripts/search", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert tenant.http.get("/transcripts/search", params={"query": "x", "cursor": "y"}).status_code == 404


def test_the_longest_filters_that_may_be_are_answered(tenant):
    longest = dict.fromkeys(("query", "speaker", "language", "app_session_id"), "🎉" * 200)
    assert texts(tenant, **longest) == []
    assert tenant.http.get("/app_sessions", params={"deduplication_key": "ü" * 5000}).json()["results"] == []


def test_pages_hold_every_hit_once_there_and_back(tenant, store):
    session_ids = [created(tenant) for _ in range(3)]
    word = uuid.uuid4().hex
    rows = [
        row(session_ids[number % 3], number, f"{word} {number}", start_ms=T0_MS + number // 7) for number in range(180)
    ]
    store.insert(UTTERANCES, rows)
    until(lambda: all(listed(store, session_id) for session_id in session_ids), "listed")
    pages = [search(tenant, query=word)]
    while pages[-1]["next"]:
        pages.append(tenant.http.get(pages[-1]["next"]).raise_for_status().json())
    found = [(hit["timestamp_ms"], hit["app_session_id"], hit["id"]) for page in pages for hit in page["results"]]
    assert found == sorted((entry["start_ms"], entry["session_id"], entry["utterance_id"]) for entry in rows)
    assert pages[0]["previous"] is None
    back = pages[-1]
    for page in reversed(pages[:-1]):
        back = tenant.http.get(back["previous"]).raise_for_status().json()
        assert back["results"] == page["results"]
    store.insert(UTTERANCES, [row(session_ids[0], 500, f"{word} early", start_ms=T0_MS - 1)])
    assert tenant.http.get(pages[0]["next"]).json()["results"] == pages[1]["results"], "what comes before moves nothing"


def test_what_was_deleted_is_in_no_file_and_no_hit_even_if_it_is_written_again(house, tenant, store):
    session_id, other = created(tenant, recording_settings={"format": "none"}), created(tenant)
    word = uuid.uuid4().hex
    rows = [row(session_id, 0, word), row(other, 0, word)]
    store.insert(UTTERANCES, rows)
    until(lambda: len(texts(tenant, query=word)) == 2, "both found")
    tenant.http.delete(f"/app_sessions/{other}/transcript").raise_for_status()
    house.finish(session_id)
    until(lambda: tenant.http.get(f"/app_sessions/{session_id}").json()["state"] == "ended", "ended")
    tenant.http.post(f"/app_sessions/{session_id}/delete_data").raise_for_status()
    store.insert(UTTERANCES, [entry | {"_offset": 9} for entry in rows])
    assert texts(tenant, query=word) == []
    until(lambda: read(store, tenant, word) == {other}, "ClickHouse knows that a session's data were deleted")
    for deleted in (session_id, other):
        assert exported(tenant, deleted, "json").json()["utterances"] == []
        assert tenant.http.get(f"/app_sessions/{deleted}/talk_time").json()["speaking_ms"] == 0
    store.insert(UTTERANCES, [row(other, 1, word, start_ms=4_000_000_000_000)])
    assert len(texts(tenant, query=word)) == 1, "what is said after the deletion is found"


def test_folding_is_the_same_in_clickhouse(store):
    sql = f"SELECT {folded_in_sql('{sample:String}')} AS folded"
    letters = [chr(code) for code in range(1, 0x110000, 61) if not 0xD800 <= code < 0xE000]
    letters += [chr(code) for code in range(1, 0x700, 2)]
    for start in range(0, len(letters), 300):
        sample = "".join(letters[start : start + 300])
        assert store.query(sql, {"sample": sample}) == [{"folded": folded(sample)}]
