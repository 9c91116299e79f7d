"""The demo's verdict: whole only when nothing was lost, doubled or changed."""

import hashlib
from dataclasses import replace

import pytest

from deploy.local.demo import report
from deploy.local.demo.accounting import MediumAccount
from deploy.local.demo.footprint import Footprint, setup_seconds
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
    "chat": [
        {"operation": operation, "message_id": message, "text": text}
        for operation, message, text in (
            (1, "a", "helo"),
            (1, "b", "gone"),
            (3, "a", "hello"),
            (4, "a", "👍"),
            (2, "b", ""),
        )
    ],
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
        rest_chat=["hello"],
        footprint=Footprint(142.4, True, 5.04, 12, 840_000_000),
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
        {"rest_chat": []},
        {"rest_chat": ["helo"]},
        {"rest_chat": ["hello", "gone"]},
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


def footprint_rows(footprint):
    return [(row.measured, row.met) for row in report.create(TRUTH, observed(footprint=footprint)).rows[-3:]]


def test_what_the_stack_costs_stands_beside_its_goals():
    rows = report.create(TRUTH, observed()).rows[-3:]
    assert [(row.name, row.measured, row.expected, row.met) for row in rows] == [
        ("cold set-up", "already set up, in 142 s", "≤ 300 s", True),
        ("warm start, to everything ready", "5.0 s", "≤ 20 s", True),
        ("idle memory of 12 processes", "0.84 GB", "≤ 2.5 GB", True),
    ]
    assert report.document(report.create(TRUTH, observed()), TRUTH, observed())["footprint"]["setup_s"] == 142.4


def test_the_run_that_has_set_everything_up_says_how_long_it_took():
    assert footprint_rows(Footprint(400, False, 25, 12, 3_000_000_000)) == [
        ("400 s", False),
        ("25.0 s", False),
        ("3.00 GB", False),
    ]


def test_what_was_not_measured_gets_no_verdict():
    assert footprint_rows(Footprint(None, True, 5, 12, None)) == [
        ("already set up", None),
        ("5.0 s", True),
        ("not known on this system", None),
    ]


def test_the_set_up_leaves_what_it_measured(tmp_path):
    record = tmp_path / ".setup.json"
    assert setup_seconds(record) is None
    record.write_text('{"cold_setup_s": 97}')
    assert setup_seconds(record) == 97.0


@pytest.mark.parametrize(("seen", "is_met"), [(0, False), (1, True), (3, True), (4, False)])
def test_flashes_behind_a_shared_screen_may_be_missed(seen, is_met):
    share = NOTHING | {"frames": 9, "first_timestamp_ms": 3000, "last_timestamp_ms": 5000}
    truth = TRUTH | {"flashes": [1500, 4000, 8500], "media": TRUTH["media"] | {"share": share}}
    flashes = tuple(float(number) for number in range(seen))
    measured = Measured(9.0, 100, 9.0, flashes, tuple(0.0 for _ in flashes), monotonic=True)
    rows = {row.name: row for row in report.create(truth, observed(recording=measured)).rows}
    assert rows["flashes seen"].met is is_met
    assert rows["flashes seen"].expected == "1 to 3, by the shared screen"
