"""The demo's verdict: whole only when nothing was lost, doubled or changed."""

import hashlib
import io
from dataclasses import replace

import pytest
from rich.console import Console

from deploy.local.demo import printing, report
from deploy.local.demo.accounting import MediumAccount
from deploy.local.demo.footprint import Footprint, setup_seconds
from deploy.local.demo.recording import Measured
from schemas import topics
from schemas.records import Audio, Event, OutputKind, ParticipantEvent, RecordKind, Utterance, UtteranceStatus

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
    "participants": [{"user_id": 7, "name": "Ada"}],
    "turns": [
        {"user_id": 7, "start_ms": 1000, "end_ms": 2000, "text": "it was the best of times", "alone": True},
        {"user_id": 7, "start_ms": 9000, "end_ms": 9900, "text": "nobody can hear this", "alone": False},
    ],
    "flashes": [1500],
    "captions": [{"text": "It was."}],
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
    "events": [{"event_type": 3, "timestamp_ms": 900, "participants": [{"user_id": 7}]}],
    "states": [{"kind": "stream", "state": 4, "reason": 6, "timestamp_ms": 3900}],
    "media": {
        "audio": NOTHING
        | {
            "frames": 3,
            "bytes": 6,
            "tracks": [{"user_id": 7, "sha256": hashlib.sha256(b"".join(PAYLOADS)).hexdigest()}],
        },
        "video": NOTHING | {"frames": 11, "first_timestamp_ms": 1000, "last_timestamp_ms": 3900},
        **{name: NOTHING for name in ("share", "captions", "chat")},
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


def events(*happened):
    account = MediumAccount()
    for number, (code, participant, at_ms) in enumerate(happened):
        account.feed(
            Event(
                session_id="a", kind=RecordKind.FRAME, participant_id=participant, epoch=1, sequence=number,
                timestamp_ms=at_ms, arrived_us=0, code=code,
            ),
            9_000,
        )  # fmt: skip
    return account


RECORDING = Measured(3.0, 12, 3, 3.0, (0.5,), (1.0,), True)
SENT_EVENTS = ((3, 7, 900), (4, 0, 3900))


def observed(**changes):
    accounts = {topic.name: MediumAccount() for topic in topics.MEDIA_TOPICS}
    accounts |= {topics.AUDIO.name: audio(PAYLOADS), topics.EVENTS.name: events(*SENT_EVENTS)}
    accounts[topics.VIDEO.name] = MediumAccount(frames=11, before_key_frame=2)
    heard = Utterance(
        session_id="a", kind=OutputKind.ITEM, engine="moonshine", participant_id=7, start_ms=1100, end_ms=1900,
        text="It was the rest of times.",
    )  # fmt: skip
    caption = replace(heard, engine="zoom", text="It was.")
    happened = [
        ParticipantEvent(session_id="a", kind=OutputKind.ITEM, event=event, participant_id=7, participant_name="Ada")
        for event in ("join", "leave")
    ]
    base = report.Observed(
        accounts=accounts,
        utterances=[heard, caption],
        events=happened,
        outputs_doubled=0,
        dead_letters=0,
        final_state="ended",
        recording=RECORDING,
        rest_captions=["It was."],
        rest_utterances=1,
        rest_presence=[("join", "Ada"), ("leave", "Ada")],
        rest_chat=["hello"],
        footprint=Footprint(142.4, True, 5.04, 12, 840_000_000),
        behind_s=9.1,
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
        {"recording": replace(RECORDING, flashes_s=(), offsets_ms=())},
        {"recording": replace(RECORDING, pictures=11)},
        {"recording": replace(RECORDING, black=4)},
        {"recording": replace(RECORDING, duration_s=3.6)},
        {"recording": replace(RECORDING, duration_s=2.2)},
        {"recording": replace(RECORDING, audio_s=2.2)},
        {"utterances": []},
        {"rest_captions": ["It is."]},
        {"rest_captions": ["It was.", "It was."]},
        {"rest_presence": [("join", "Ada")]},
        {"rest_presence": [("join", "Ada"), ("leave", "Jun")]},
        {"accounts": observed().accounts | {"rtms.events": events((3, 8, 900), (4, 0, 3900))}},
        {"accounts": observed().accounts | {"rtms.events": events((3, 7, 901), (4, 0, 3900))}},
    ],
)
def test_whatever_is_missing_doubled_or_changed_is_seen(changes):
    assert not report.create(TRUTH, observed(**changes)).whole


def test_word_errors_count_only_where_one_person_speaks():
    assert report.word_error_rate_alone(TRUTH, observed().utterances) == pytest.approx(1 / 6)
    assert report.word_error_rate_alone(TRUTH, []) == 1.0


def test_a_missed_goal_is_shown_and_does_not_fail():
    late = replace(RECORDING, offsets_ms=(40.0,))
    made = report.create(TRUTH, observed(recording=late))
    assert made.whole
    assert [row.name for row in made.rows if row.met is False] == [
        "sound against picture, worst",
        "word error rate, recogniser",
    ]


@pytest.mark.parametrize(
    ("behind_s", "said", "is_met"), [(10.0, "10.0 s", True), (10.1, "10.1 s", False), (None, "never there", False)]
)
def test_a_playlist_that_is_far_behind_is_shown(behind_s, said, is_met):
    made = report.create(TRUTH, observed(behind_s=behind_s))
    [row] = [row for row in made.rows if row.name.startswith("live playlist")]
    assert (row.measured, row.expected, row.kind, row.met) == (said, "≤ 10.0 s", "goal", is_met)
    assert made.whole
    assert report.document(made, TRUTH, observed(behind_s=behind_s))["live_behind_s"] == behind_s


def test_a_missed_latency_is_said_in_words_and_does_not_fail():
    account = audio(PAYLOADS)
    account.latencies_us[:] = [1_000, 1_000, 90_000]
    seen = observed(accounts=observed().accounts | {"rtms.audio": account})
    made = report.create(TRUTH, seen)
    assert made.whole
    [row] = [row for row in made.rows if row.name.startswith("slowest p99")]
    assert (row.measured, row.expected, row.kind, row.met) == ("88.2 ms (audio)", "≤ 50 ms", "goal", False)
    assert report.document(made, TRUTH, seen)["media"]["audio"]["latency_goal_met"] is False
    shown = Console(file=io.StringIO(), width=100)
    printing.show(made, shown)
    text = " ".join(shown.file.getvalue().split())
    assert "consumer: 50 ms, missed by audio" in text
    assert "88.2 ms (audio) ≤ 50 ms ○ missed" in text


def test_who_is_announced_again_has_not_come_twice_and_who_stays_leaves_at_the_end():
    again = {"event_type": 3, "timestamp_ms": 950, "participants": [{"user_id": 7}]}
    truth = TRUTH | {"events": [*TRUTH["events"], again]}
    made = report.create(
        truth, observed(accounts=observed().accounts | {"rtms.events": events(*SENT_EVENTS, (3, 7, 950))})
    )
    assert made.whole


def test_what_nobody_sent_names_its_source():
    [row] = [row for row in report.create(TRUTH, observed()).rows if row.name.startswith("utterances over")]
    assert (row.measured, row.expected) == ("1", "1 on the topic")


def test_a_failed_utterance_is_not_whole():
    failed = replace(observed().utterances[0], status=UtteranceStatus.FAILED)
    assert not report.create(TRUTH, observed(utterances=[failed])).whole


def footprint_rows(footprint):
    return [(row.measured, row.met) for row in report.create(TRUTH, observed(footprint=footprint)).rows[-3:]]


def test_what_the_stack_costs_stands_beside_its_goals():
    rows = report.create(TRUTH, observed()).rows[-3:]
    assert [(row.name, row.measured, row.expected, row.met) for row in rows] == [
        ("cold set-up", "already set up, in 142 s", "≤ 300 s", True),
        ("warm start, until all is ready", "5.0 s", "≤ 20 s", True),
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
    measured = Measured(9.0, 100, 0, 9.0, flashes, tuple(0.0 for _ in flashes), monotonic=True)
    rows = {row.name: row for row in report.create(truth, observed(recording=measured)).rows}
    assert rows["flashes seen"].met is is_met
    assert rows["flashes seen"].expected == "1 to 3, by the shared screen"


@pytest.mark.parametrize(("pictures", "is_met"), [(0, True), (18, True), (19, False)])
def test_a_shared_screen_stands_in_place_of_pictures(pictures, is_met):
    """Eleven were sent, two of them before a key frame: none of the others has to be seen, and nine may be added."""
    share = NOTHING | {"frames": 9, "first_timestamp_ms": 3000, "last_timestamp_ms": 5000}
    truth = TRUTH | {"media": TRUTH["media"] | {"share": share}}
    measured = Measured(9.0, pictures + 5, 5, 9.0, (), (), monotonic=True)
    row = {row.name: row for row in report.create(truth, observed(recording=measured)).rows}["recording pictures"]
    assert (row.met, row.measured) == (is_met, f"{pictures}, and 5 black")
