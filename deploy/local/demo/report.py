"""The demo's report: every number beside what the simulated Zoom says it sent, or beside a source that it names. Pure.

`must` rows decide the exit code (something was lost, doubled or changed); `goal` rows are measured and reported.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from connectors.rtms.protocol.codes import ChatOperation, EventType
from deploy.local.demo.accounting import Happening, MediumAccount
from deploy.local.demo.footprint import Footprint
from deploy.local.demo.recording import Measured
from deploy.local.words import word_errors
from schemas import topics
from schemas.participant_events import JOIN, LEAVE, PRESENCE
from schemas.records import ParticipantEvent, Utterance, UtteranceStatus
from schemas.settings import Engine

LATENCY_GOAL_MS = 50.0
OFFSET_GOAL_MS = 5.0
BEHIND_GOAL_S = 10.0
WORD_ERROR_GOAL = 0.10
SETUP_GOAL_S = 300
START_GOAL_S = 20
MEMORY_GOAL_GB = 2.5
OVERLAP_SLACK_MS = 500
LENGTH_SLACK_S = 0.5
"""A recording is longer than the time between its first and last frame: by that frame's length, rounded up to AAC's."""

AFTER_SHARE_MS = 4_000
"""A screen is shown for 1.5 s after its last picture, and the camera comes back with a key frame."""

MOST_FPS = 30

Truth = Mapping[str, Any]
Kind = Literal["must", "goal", "info"]
Presence = tuple[str, str | None]
"""`join` or `leave`, and whose."""


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
    rest_captions: Sequence[str]
    rest_utterances: int
    rest_presence: Sequence[Presence]
    rest_chat: Sequence[str]
    footprint: Footprint
    behind_s: float | None = None
    """How far the live playlist was behind the meeting, at most."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One medium from Zoom's socket to a topic's consumer; (received, sent) pairs. Events have no bytes to compare:
    they are identical when each has its number, participant and time."""

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
        """Whether the goal is met."""
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
    return Report(media, (*rows, _latency_row(media), *_footprint_rows(seen.footprint)))


def document(report: Report, truth: Truth, seen: Observed) -> dict[str, Any]:
    """`report.json`."""
    return {
        "whole": report.whole,
        "media": {
            medium.name: asdict(medium) | {"whole": medium.whole, "latency_goal_met": medium.quick}
            for medium in report.media
        },
        "rows": [asdict(row) for row in report.rows],
        "recording": asdict(seen.recording),
        "live_behind_s": seen.behind_s,
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
    """Frames and bytes that the simulator put on a socket."""
    if topic == topics.EVENTS.name:
        return sum(_happened(truth).values()), 0
    medium = truth["media"][topic.removeprefix("rtms.")]
    return medium["frames"], medium["bytes"]


def _happened(truth: Truth) -> Counter[Happening]:
    """The events that were sent: one about several participants counts once for each, a change of state is nobody's."""
    found = Counter[Happening]()
    for event in truth["events"]:
        for person in event.get("participants") or [event]:
            found[event["event_type"], person.get("user_id", 0), event["timestamp_ms"]] += 1
    found.update((state["state"], 0, state["timestamp_ms"]) for state in truth["states"])
    return found


def _medium(truth: Truth, topic: str, account: MediumAccount) -> Medium:
    name, (frames, size_bytes) = topic.removeprefix("rtms."), _sent(truth, topic)
    if topic == topics.EVENTS.name:
        identical = account.happened == _happened(truth)
    else:
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
    captions = Counter(caption["text"] for caption in truth["captions"])
    zoom = Counter(utterance.text for utterance in seen.utterances if utterance.engine == Engine.ZOOM)
    presence = Counter(_presence(truth))
    came_and_went = Counter((e.event, e.participant_name) for e in seen.events if e.event in PRESENCE)
    chat = _chat(truth)
    return [
        _same("captions on the topic", zoom, captions),
        _same("captions over REST", Counter(seen.rest_captions), captions),
        _same("joins, leaves on the topic", came_and_went, presence),
        _same("joins, leaves over REST", Counter(seen.rest_presence), presence),
        Row("chat messages over REST", str(len(seen.rest_chat)), str(len(chat)), "must", list(seen.rest_chat) == chat),
        _recognised(seen),
        _exact("outputs doubled", seen.outputs_doubled, 0),
        _exact("dead letters", seen.dead_letters, 0),
    ]


def _same(name: str, measured: Counter[Any], sent: Counter[Any]) -> Row:
    """Compared one by one; only their number is shown."""
    return Row(name, str(measured.total()), str(sent.total()), "must", measured == sent)


def _recognised(seen: Observed) -> Row:
    """How many there are to be, nobody who sent them knows."""
    local = len([u for u in seen.utterances if u.engine == Engine.MOONSHINE and u.text])
    met = seen.rest_utterances == local
    return Row("utterances over REST", str(seen.rest_utterances), f"{local} on the topic", "must", met)


def _presence(truth: Truth) -> Iterator[Presence]:
    """Who came and went, by name. Whoever is announced again is still there; who is there at the end leaves with it."""
    names = {person["user_id"]: person["name"] for person in truth["participants"]}
    present: dict[int, None] = {}
    for event in truth["events"]:
        for user_id in [person["user_id"] for person in event.get("participants", ())]:
            if event["event_type"] == EventType.PARTICIPANT_JOIN and user_id not in present:
                present[user_id] = None
                yield JOIN, names[user_id]
            elif event["event_type"] == EventType.PARTICIPANT_LEAVE and user_id in present:
                del present[user_id]
                yield LEAVE, names[user_id]
    yield from ((LEAVE, names[user_id]) for user_id in present)


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
    behind = "never there" if seen.behind_s is None else f"{seen.behind_s:.1f} s"
    return [
        _exact("speech received, s", round(audio.size_bytes / 32_000), round(sent_s)),
        _as_long("recording length", measured.duration_s, truth),
        _as_long("recording sound", measured.audio_s, truth),
        _pictures(truth, seen),
        Row("picture times grow", str(measured.monotonic), "True", "must", measured.monotonic),
        _flashes(truth, len(measured.flashes_s)),
        _exact("flashes with their beep", len(measured.offsets_ms), len(measured.flashes_s)),
        Row("sound against picture, worst", offset, f"≤ {OFFSET_GOAL_MS} ms", "goal", _at_most(worst, OFFSET_GOAL_MS)),
        Row(
            "live playlist, most behind", behind, f"≤ {BEHIND_GOAL_S} s", "goal", _at_most(seen.behind_s, BEHIND_GOAL_S)
        ),
    ]


def _as_long(name: str, measured_s: float, truth: Truth) -> Row:
    spanned_s = _spanned_s(truth)
    met = abs(measured_s - spanned_s) <= LENGTH_SLACK_S
    return Row(name, f"{measured_s:.1f} s", f"{spanned_s:.1f} s of media, ± {LENGTH_SLACK_S} s", "must", met)


def _flashes(truth: Truth, seen: int) -> Row:
    """Cameras flash, shared screens do not: while one is shown, and until the camera is back, a flash may be missed."""
    sent, hidden = truth["flashes"], _hidden_ms(truth)
    least = sum(at_ms not in hidden for at_ms in sent)
    expected = f"{least} to {len(sent)}, by the shared screen" if hidden else str(len(sent))
    return Row("flashes seen", str(seen), expected, "must", least <= seen <= len(sent))


def _pictures(truth: Truth, seen: Observed) -> Row:
    """All that a player can be shown of what was sent: nothing before the first key frame, and a shared screen instead
    of the camera. Where nobody is seen, black stands in, which nobody sent."""
    measured, hidden, shared = seen.recording, _hidden_ms(truth), truth["media"]["share"]["frames"]
    shown = measured.pictures - measured.black
    sent, early = truth["media"]["video"]["frames"], seen.accounts[topics.VIDEO.name].before_key_frame
    least, most = sent - early - len(hidden) * MOST_FPS // 1000, sent - early + shared
    expected = f"{sent}, {early} before a key frame" if early else str(sent)
    if hidden:
        expected = f"{least} to {most}, by the shared screen"
    met = least <= shown <= most
    return Row("recording pictures", f"{shown}, and {measured.black} black", expected, "must", met)


def _hidden_ms(truth: Truth) -> range:
    """When a shared screen stands, or may stand, in the camera's place."""
    share = truth["media"]["share"]
    first_ms, last_ms = share["first_timestamp_ms"], share["last_timestamp_ms"]
    return range(0) if first_ms is None else range(first_ms, last_ms + AFTER_SHARE_MS + 1)


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
        Row("word error rate, recogniser", shown, goal, "goal", _at_most(rate, WORD_ERROR_GOAL)),
        _exact("utterances that failed", failed, 0),
    ]


def _latency_row(media: Sequence[Medium]) -> Row:
    p99s = {medium.name: medium.latency_ms["p99"] for medium in media if medium.latency_ms}
    slowest = max(p99s, key=lambda name: p99s[name], default="")
    shown = f"{p99s[slowest]} ms ({slowest})" if slowest else "nothing came"
    met = all(medium.quick for medium in media) if slowest else None
    return Row("slowest p99, to a consumer", shown, f"≤ {LATENCY_GOAL_MS:.0f} ms", "goal", met)


def _footprint_rows(footprint: Footprint) -> list[Row]:
    """Goals of the machine and not of the meeting; what was not measured gets no verdict."""
    gigabytes = None if footprint.idle_bytes is None else footprint.idle_bytes / 1e9
    memory = "not known on this system" if gigabytes is None else f"{gigabytes:.2f} GB"
    return [
        Row("cold set-up", _setup(footprint), f"≤ {SETUP_GOAL_S} s", "goal", _within(footprint.setup_s, SETUP_GOAL_S)),
        Row("warm start, until all is ready", f"{footprint.start_s:.1f} s", f"≤ {START_GOAL_S} s", "goal",
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
