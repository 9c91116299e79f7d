"""The demo's report: every number beside what the simulated Zoom says it sent. Pure.

`must` rows decide the exit code (something was lost, doubled or changed); `goal` rows are measured and reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from connectors.rtms.protocol.codes import ChatOperation
from deploy.local.demo.accounting import MediumAccount
from deploy.local.demo.footprint import Footprint
from deploy.local.demo.recording import Measured
from deploy.local.words import word_errors
from schemas import topics
from schemas.participant_events import JOIN, LEAVE, PRESENCE
from schemas.records import ParticipantEvent, Utterance, UtteranceStatus
from schemas.settings import Engine

LATENCY_GOAL_MS = 50.0
OFFSET_GOAL_MS = 5.0
WORD_ERROR_GOAL = 0.10
SETUP_GOAL_S = 300
START_GOAL_S = 20
MEMORY_GOAL_GB = 2.5
OVERLAP_SLACK_MS = 500
AFTER_SHARE_MS = 4_000
"""A screen is shown for 1.5 s after its last picture, and the camera comes back with a key frame."""

Truth = Mapping[str, Any]
Kind = Literal["must", "goal", "info"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was measured, what the simulator says (or the goal), whether they agree (None: no verdict)."""

    name: str
    measured: str
    expected: str
    kind: Kind = "info"
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """All that the demo saw and fetched."""

    accounts: Mapping[str, MediumAccount]
    utterances: Sequence[Utterance]
    events: Sequence[ParticipantEvent]
    outputs_doubled: int
    dead_letters: int
    final_state: str
    recording: Measured
    rest_utterances: int
    rest_events: int
    rest_chat: Sequence[str]
    footprint: Footprint


@dataclass(frozen=True, slots=True)
class Medium:
    """One medium from Zoom's socket to a topic's consumer; (received, sent) pairs. Events have no bytes to compare."""

    name: str
    frames: tuple[int, int]
    size_bytes: tuple[int, int]
    lost: int
    doubled: int
    identical: bool
    latency_ms: Mapping[str, float]

    @property
    def whole(self) -> bool:
        same = self.frames[0] == self.frames[1] and self.size_bytes[0] == self.size_bytes[1]
        return same and self.identical and not self.lost and not self.doubled

    @property
    def quick(self) -> bool:
        return not self.latency_ms or self.latency_ms["p99"] <= LATENCY_GOAL_MS


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed and written."""

    media: tuple[Medium, ...]
    rows: tuple[Row, ...]

    @property
    def whole(self) -> bool:
        """Nothing was lost, doubled or changed."""
        return all(medium.whole for medium in self.media) and all(row.met for row in self.rows if row.kind == "must")


def create(truth: Truth, seen: Observed) -> Report:
    """The whole report, in the order in which it is read."""
    media = tuple(_medium(truth, name, account) for name, account in seen.accounts.items())
    session = Row("session", seen.final_state, "ended", "must", seen.final_state == "ended")
    rows = (session, *_output_rows(truth, seen), *_recording_rows(truth, seen), *_speech_rows(truth, seen))
    return Report(media, (*rows, *_footprint_rows(seen.footprint)))


def document(report: Report, truth: Truth, seen: Observed) -> dict[str, Any]:
    """`report.json`."""
    return {
        "whole": report.whole,
        "media": {medium.name: asdict(medium) | {"whole": medium.whole} for medium in report.media},
        "rows": [asdict(row) for row in report.rows],
        "recording": asdict(seen.recording),
        "word_error_rate": word_error_rate_alone(truth, seen.utterances),
        "latency_goal_ms": LATENCY_GOAL_MS,
        "footprint": asdict(seen.footprint),
    }


def word_error_rate_alone(truth: Truth, utterances: Sequence[Utterance]) -> float | None:
    """Of the local recogniser, over all turns in which one person speaks alone; None without any."""
    errors = said = 0
    for turn in truth["turns"]:
        if turn["alone"]:
            result = word_errors(turn["text"], _heard(turn, utterances))
            errors, said = errors + result.errors, said + result.said
    return errors / said if said else None


def _heard(turn: Mapping[str, Any], utterances: Sequence[Utterance]) -> str:
    heard = [
        utterance
        for utterance in utterances
        if utterance.engine == Engine.MOONSHINE
        and utterance.participant_id == turn["user_id"]
        and utterance.start_ms < turn["end_ms"] + OVERLAP_SLACK_MS
        and utterance.end_ms > turn["start_ms"] - OVERLAP_SLACK_MS
    ]
    return " ".join(utterance.text for utterance in sorted(heard, key=lambda utterance: utterance.start_ms))


def _sent(truth: Truth, topic: str) -> tuple[int, int]:
    """Frames and bytes that the simulator put on a socket; events count once per participant they name."""
    if topic == topics.EVENTS.name:
        named = sum(max(1, len(event.get("participants", ()))) for event in truth["events"])
        return named + len(truth["states"]), 0
    medium = truth["media"][topic.removeprefix("rtms.")]
    return medium["frames"], medium["bytes"]


def _medium(truth: Truth, topic: str, account: MediumAccount) -> Medium:
    name, (frames, size_bytes) = topic.removeprefix("rtms."), _sent(truth, topic)
    identical = True
    if topic != topics.EVENTS.name:
        sent = {track["user_id"]: track["sha256"] for track in truth["media"][name]["tracks"]}
        identical = account.digests() == sent
    return Medium(
        name=name,
        frames=(account.frames, frames),
        size_bytes=(account.size_bytes, size_bytes),
        lost=max(account.lost, frames - account.frames),
        doubled=account.doubled,
        identical=identical,
        latency_ms=account.latency_ms(),
    )


def _exact(name: str, measured: int, expected: int) -> Row:
    return Row(name, str(measured), str(expected), "must", measured == expected)


def _output_rows(truth: Truth, seen: Observed) -> list[Row]:
    zoom = [utterance for utterance in seen.utterances if utterance.engine == Engine.ZOOM]
    joins = {person["user_id"] for person in truth["participants"]}
    seen_joins = {event.participant_id for event in seen.events if event.event == JOIN}
    came_and_went = [event for event in seen.events if event.event in PRESENCE]
    chat = _chat(truth)
    local = len([u for u in seen.utterances if u.engine == Engine.MOONSHINE and u.text])
    return [
        _exact("captions in the transcript", len(zoom), len(truth["captions"])),
        Row("participants who joined", str(len(seen_joins)), str(len(joins)), "must", seen_joins == joins),
        _exact("participants who left", len({e.participant_id for e in seen.events if e.event == LEAVE}), len(joins)),
        _exact("participant events over REST", seen.rest_events, len(came_and_went)),
        Row("chat messages over REST", str(len(seen.rest_chat)), str(len(chat)), "must", list(seen.rest_chat) == chat),
        _exact("utterances over REST", seen.rest_utterances, local),
        _exact("outputs doubled", seen.outputs_doubled, 0),
        _exact("dead letters", seen.dead_letters, 0),
    ]


def _chat(truth: Truth) -> list[str]:
    """What can be read in the end of what was written: as it was changed last, without what was deleted."""
    texts: dict[str, str] = {}
    for line in truth["chat"]:
        match line["operation"]:
            case ChatOperation.NEW | ChatOperation.UPDATE:
                texts[line["message_id"]] = line["text"]
            case ChatOperation.DELETE:
                texts.pop(line["message_id"], None)
    return list(texts.values())


def _recording_rows(truth: Truth, seen: Observed) -> list[Row]:
    measured = seen.recording
    audio = seen.accounts[topics.AUDIO.name]
    sent_s = truth["media"]["audio"]["audio_seconds"]
    worst = measured.worst_offset_ms
    offset = "none found" if worst is None else f"{worst:.1f} ms"
    return [
        _exact("speech received, s", round(audio.size_bytes / 32_000), round(sent_s)),
        Row("recording length", f"{measured.duration_s:.1f} s", f"{_spanned_s(truth):.1f} s of media"),
        Row("recording sound", f"{measured.audio_s:.1f} s", f"{measured.duration_s:.1f} s"),
        Row("recording pictures", str(measured.pictures), _pictures(truth, seen)),
        Row("picture times grow", str(measured.monotonic), "True", "must", measured.monotonic),
        _flashes(truth, len(measured.flashes_s)),
        _exact("flashes with their beep", len(measured.offsets_ms), len(measured.flashes_s)),
        Row("sound against picture, worst", offset, f"≤ {OFFSET_GOAL_MS} ms", "goal", _at_most(worst, OFFSET_GOAL_MS)),
    ]


def _flashes(truth: Truth, seen: int) -> Row:
    """Cameras flash, shared screens do not: while one is shown, and until the camera is back, a flash may be missed."""
    sent, share = truth["flashes"], truth["media"]["share"]
    first_ms, last_ms = share["first_timestamp_ms"], share["last_timestamp_ms"]
    hidden = [at_ms for at_ms in sent if first_ms is not None and first_ms <= at_ms <= last_ms + AFTER_SHARE_MS]
    least = len(sent) - len(hidden)
    expected = f"{least} to {len(sent)}, by the shared screen" if hidden else str(len(sent))
    return Row("flashes seen", str(seen), expected, "must", least <= seen <= len(sent))


def _pictures(truth: Truth, seen: Observed) -> str:
    """What a player can be shown of what was sent: nothing before the first key frame, black where nobody is seen."""
    sent, early = truth["media"]["video"]["frames"], seen.accounts[topics.VIDEO.name].before_key_frame
    shared = truth["media"]["share"]["frames"]
    return f"{sent} − {early} before a key frame + black" + (f", {shared} of a screen instead" if shared else "")


def _spanned_s(truth: Truth) -> float:
    stamps = [truth["media"][medium] for medium in ("audio", "video")]
    first = min((s["first_timestamp_ms"] for s in stamps if s["first_timestamp_ms"] is not None), default=0)
    last = max((s["last_timestamp_ms"] for s in stamps if s["last_timestamp_ms"] is not None), default=0)
    return float(last - first) / 1000


def _at_most(value: float | None, goal: float) -> bool:
    return value is not None and value <= goal


def _speech_rows(truth: Truth, seen: Observed) -> list[Row]:
    rate = word_error_rate_alone(truth, seen.utterances)
    failed = sum(utterance.status is UtteranceStatus.FAILED for utterance in seen.utterances)
    shown = "nobody spoke alone" if rate is None else f"{rate:.1%}"
    goal = f"≤ {WORD_ERROR_GOAL:.0%}"
    return [
        Row("word error rate, local recogniser", shown, goal, "goal", _at_most(rate, WORD_ERROR_GOAL)),
        _exact("utterances that failed", failed, 0),
    ]


def _footprint_rows(footprint: Footprint) -> list[Row]:
    """Goals of the machine and not of the meeting; what was not measured gets no verdict."""
    gigabytes = None if footprint.idle_bytes is None else footprint.idle_bytes / 1e9
    memory = "not known on this system" if gigabytes is None else f"{gigabytes:.2f} GB"
    return [
        Row("cold set-up", _setup(footprint), f"≤ {SETUP_GOAL_S} s", "goal", _within(footprint.setup_s, SETUP_GOAL_S)),
        Row("warm start, to everything ready", f"{footprint.start_s:.1f} s", f"≤ {START_GOAL_S} s", "goal",
            footprint.start_s <= START_GOAL_S),
        Row(f"idle memory of {footprint.processes} processes", memory, f"≤ {MEMORY_GOAL_GB} GB", "goal",
            _within(gigabytes, MEMORY_GOAL_GB)),
    ]  # fmt: skip


def _setup(footprint: Footprint) -> str:
    if footprint.setup_s is None:
        return "already set up"
    took = f"{footprint.setup_s:.0f} s"
    return f"already set up, in {took}" if footprint.was_set_up else took


def _within(value: float | None, goal: float) -> bool | None:
    return None if value is None else value <= goal
