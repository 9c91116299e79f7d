"""The demo's verdict: whole only when nothing was lost, doubled or changed."""

import hashlib
from dataclasses import replace

import pytest

from deploy.local.demo import report
from deploy.local.demo.accounting import MediumAccount
from deploy.local.demo.recording import Measured
from schemas import topics
from schemas.records import Audio, OutputKind, ParticipantEvent, RecordKind, Utterance, UtteranceStatus

PAYLOADS = [b"aa", b"bb", b"cc"]
NOTHING = {
    "frames": 0,
    "bytes": 0,
    "audio_seconds": 0,
    "first_timestamp_ms": None,
    "last_timestamp_ms": None,
    "tracks": [],
}
TRUTH = {
    "participants": [{"user_id": 7}],
    "turns": [
        {"user_id": 7, "start_ms": 1000, "end_ms": 2000, "text": "it was the best of times", "alone": True},
        {"user_id": 7, "start_ms": 9000, "end_ms": 9900, "text": "nobody can hear this", "alone": False},
    ],
    "flashes": [1500],
    "captions": [],
    "events": [{"event_type": 3, "participants": [{"user_id": 7}]}],
    "states": [],
    "media": {
        "audio": NOTHING
        | {
            "frames": 3,
            "bytes": 6,
            "tracks": [{"user_id": 7, "sha256": hashlib.sha256(b"".join(PAYLOADS)).hexdigest()}],
        },
        **{name: NOTHING for name in ("video", "share", "captions", "chat")},
    },
}


def audio(payloads, start=0):
    account = MediumAccount()
    for number, payload in enumerate(payloads, start):
        account.feed(
            Audio(
                session_id="a", kind=RecordKind.FRAME, participant_id=7, epoch=1, sequence=number,
                timestamp_ms=number, arrived_us=0, payload=payload,
            ),
            9_000,
        )  # fmt: skip
    return account


def observed(**changes):
    events = MediumAccount(frames=1)
    accounts = {topic.name: MediumAccount() for topic in topics.MEDIA_TOPICS}
    accounts |= {topics.AUDIO.name: audio(PAYLOADS), topics.EVENTS.name: events}
    heard = Utterance(
        session_id="a", kind=OutputKind.ITEM, engine="moonshine", participant_id=7, start_ms=1100, end_ms=1900,
        text="It was the rest of times.",
    )  # fmt: skip
    happened = [
        ParticipantEvent(session_id="a", kind=OutputKind.ITEM, event=event, participant_id=7)
        for event in ("join", "leave")
    ]
    base = report.Observed(
        accounts=accounts,
        utterances=[heard],
        events=happened,
        outputs_doubled=0,
        dead_letters=0,
        final_state="ended",
        recording=Measured(3.0, 10, 3.0, (0.5,), (1.0,), True),
        rest_utterances=1,
        rest_events=2,
    )
    return replace(base, **changes)


def test_all_well():
    made = report.create(TRUTH, observed())
    assert [row for row in made.rows if row.met is False and row.kind == "must"] == []
    assert made.whole
    assert report.document(made, TRUTH, observed())["media"]["audio"]["frames"] == (3, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"accounts": observed().accounts | {"rtms.audio": audio(PAYLOADS[:2])}},
        {"accounts": observed().accounts | {"rtms.audio": audio([b"aa", b"bb", b"xx"])}},
        {"accounts": observed().accounts | {"rtms.audio": audio(PAYLOADS, start=1)}},
        {"outputs_doubled": 1},
        {"dead_letters": 1},
        {"final_state": "fatal_error"},
        {"rest_utterances": 0},
        {"events": []},
        {"recording": Measured(3.0, 10, 3.0, (), (), True)},
    ],
)
def test_whatever_is_missing_doubled_or_changed_is_seen(changes):
    assert not report.create(TRUTH, observed(**changes)).whole


def test_word_errors_count_only_where_one_person_speaks():
    assert report.word_error_rate_alone(TRUTH, observed().utterances) == pytest.approx(1 / 6)
    assert report.word_error_rate_alone(TRUTH, []) == 1.0


def test_a_missed_goal_is_shown_and_does_not_fail():
    late = Measured(3.0, 10, 3.0, (0.5,), (40.0,), True)
    made = report.create(TRUTH, observed(recording=late))
    assert made.whole
    assert [row.name for row in made.rows if row.met is False] == [
        "sound against picture, worst",
        "word error rate, local recogniser",
    ]


def test_a_failed_utterance_is_not_whole():
    failed = replace(observed().utterances[0], status=UtteranceStatus.FAILED)
    assert not report.create(TRUTH, observed(utterances=[failed])).whole
