"""`python -m connectors.kafka dead-letters` on a real broker: what a user types, sees and gets."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.host.program import INTERRUPTED
from connectors.kafka.__main__ import main
from connectors.kafka.dead_letters import DeadLetters, Origin, letter_of
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from deploy.local.ports import free_ports
from schemas import topics
from schemas.codec import framed
from schemas.excerpts import KEPT_BYTES
from schemas.topics import Topic
from tests.integration.kafka.conftest import PATIENCE_S
from tests.support.settings import kafka_settings

SECRET = b"Eleonore-said-in-confidence"
SESSION, OTHER = "app_0000000000000001", "app_0000000000000002"


class Letters(NamedTuple):
    """The numbers of the letters that stand on the topic before each test's own."""

    audio: int
    audio_again: int
    utterance: int
    truncated: int
    zoom: int
    compacted: int
    empty: int


class Terminal:
    """Runs the command and keeps what it printed last."""

    def __init__(self, settings: KafkaSettings, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings, self._capsys = settings, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: object) -> int:
        code = main(["dead-letters", *map(str, arguments)])
        self.out, self.err = self._capsys.readouterr()
        return code

    def json(self, *arguments: object) -> Any:
        assert self(*arguments, "--json") == 0, self.err
        return json.loads(self.out)

    def records(self, topic: Topic, partition: int) -> list[Record]:
        loader = PartitionLoader(self.settings)
        try:
            return list(loader.load([Place(topic.name, partition)], PATIENCE_S))
        finally:
            loader.close()


@pytest.fixture
def terminal(
    topics_ready: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    for name, value in topics_ready.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("connectors.host.program.configure", lambda service, settings: None)  # the log goes to pytest's
    return Terminal(kafka_settings(topics_ready), capsys)


@pytest.fixture(scope="module")
def write(topics_ready: dict[str, str]) -> Iterator[Callable[..., int]]:
    """`write(origin, reason, data)` puts a letter on the topic and gives its number."""
    settings = kafka_settings(topics_ready)
    producer = create_producer(settings, CONTROL)
    codec = Decoder.from_settings(settings).codec
    letters = DeadLetters(producer, codec)

    def one(origin: Origin, reason: str, data: bytes, session_id: str | None = None) -> int:
        return letters.send_letter(letter_of(origin, reason, data, session_id)).result(PATIENCE_S)

    yield one
    producer.close()


@pytest.fixture(scope="module")
def letters(write: Callable[..., int]) -> Letters:
    audio = Origin("rtms.audio", 3, 17, SESSION.encode())
    return Letters(
        audio=write(audio, "unknown schema id 9", framed(9, SECRET)),
        audio_again=write(audio, "unknown schema id 9", framed(9, SECRET)),
        utterance=write(Origin("transcripts", 2, 5, f"{OTHER}|utt_1".encode()), "time out of range", SECRET),
        truncated=write(Origin("rtms.video", 3, 18, SESSION.encode()), "no Confluent header", SECRET * 20_000),
        zoom=write(Origin("zoom", 3, 1), "not_a_json_object", SECRET, SESSION),
        compacted=write(Origin("app-sessions", 3, 2, SESSION.encode()), "no Confluent header", SECRET),
        empty=write(Origin("session-facts", 3, 4, b"\x1b[2J\xff"), "no Confluent header", b""),
    )


def test_nothing_yet(terminal: Terminal) -> None:
    assert terminal("list") == 0
    assert terminal.out == "no dead letters\n"
    assert terminal.json("list") == {"letters": [], "count": 0, "reasons": {}, "unreadable": 0}
    assert terminal("re-drive", "--all") == 0
    assert terminal.out == "nothing to do\n"
    assert terminal("show", 0) == 1
    assert "no letter 0" in terminal.err


def test_the_list_is_newest_first_counted_and_says_nothing_that_anybody_said(
    terminal: Terminal, letters: Letters
) -> None:
    assert terminal("list") == 0
    lines = terminal.out.splitlines()
    assert lines[0].split() == ["number", "written", "place", "bytes", "session", "put", "back", "at", "reason"]
    assert [int(line.split()[0]) for line in lines[1:8]] == sorted(letters, reverse=True)
    reason = ["unknown", "schema", "id", "9"]
    assert lines[7].split()[2:] == ["rtms.audio/3/17", str(5 + len(SECRET)), SESSION, "-", *reason]
    assert [line.split(None, 1) for line in lines[-4:]][0] == ["3", "no Confluent header"]
    assert SECRET.decode() not in terminal.out
    assert "\x1b" not in terminal.out, "a terminal obeys what a key says"
    assert terminal("list", "--limit", 2) == 0
    assert "2 of 7 letters shown; --limit shows more" in terminal.out


@pytest.mark.parametrize(
    ("filters", "found"),
    [(("--topic", "zoom"), {"zoom"}), (("--reason", "confluent", "--session", SESSION), {"truncated", "compacted"})],
)
def test_filters(terminal: Terminal, letters: Letters, filters: tuple[str, ...], found: set[str]) -> None:
    document = terminal.json("list", *filters)
    assert {line["number"] for line in document["letters"]} == {getattr(letters, name) for name in found}
    assert document["count"] == sum(document["reasons"].values()) == len(found)


def test_a_filter_that_nothing_agrees_with_says_what_there_is(terminal: Terminal, letters: Letters) -> None:
    for verb in ("list", "re-drive"):
        assert terminal(verb, "--session", "app_nobody") == 0
        assert terminal.out == {"list": "none of 7 dead letters matches\n", "re-drive": "nothing to do\n"}[verb]
    assert terminal("list", "--limit", 0) == 0
    assert terminal.out.splitlines()[0].split() == ["letters", "reason"]
    assert terminal.out.splitlines()[-1] == "0 of 7 letters shown; --limit shows more"
    with pytest.raises(SystemExit):
        terminal("list", "--limit", "-1")


def test_one_letter(terminal: Terminal, letters: Letters, tmp_path: Path) -> None:
    assert terminal("show", letters.truncated) == 0
    shown = dict(line.split(None, 1) for line in terminal.out.splitlines())
    data = SECRET * 20_000
    assert shown["length"] == str(len(data))
    assert shown["kept"] == str(KEPT_BYTES)
    assert shown["sha256"] == hashlib.sha256(data).hexdigest()
    assert (shown["topic"], shown["partition"], shown["offset"]) == ("rtms.video", "3", "18")
    assert SECRET.decode() not in terminal.out
    assert terminal("show", letters.utterance, "--data") == 0
    assert "45 6c 65 6f 6e 6f 72 65 2d 73 61 69 64 2d 69 6e  Eleonore-said-in" in terminal.out
    assert terminal("show", letters.truncated, "--out", tmp_path / "kept") == 0
    assert (tmp_path / "kept").read_bytes() == data[:KEPT_BYTES]
    assert terminal.json("show", letters.utterance, "--data")["data_hex"] == SECRET.hex()
    assert "data_hex" not in terminal.json("show", letters.utterance)
    assert terminal("show", letters.utterance, "--out", tmp_path / "nowhere" / "kept") == 1
    assert (terminal.out, terminal.err.splitlines()[-1]) == (
        "", f"error: cannot write {tmp_path / 'nowhere' / 'kept'}: No such file or directory",
    )  # fmt: skip
    assert terminal("show", 999_999) == 1
    assert terminal.err == "error: there is no letter 999999; `list` shows those that are kept\n"


def test_what_cannot_be_put_back_is_refused_with_the_reason(terminal: Terminal, letters: Letters) -> None:
    assert terminal("re-drive", letters.truncated, letters.zoom, letters.compacted, letters.empty) == 1
    reasons = [line.partition(" refused ")[2] for line in terminal.out.splitlines()]
    assert reasons[:-1] == [
        f"only the first {KEPT_BYTES} of its 540000 bytes were kept",
        "came from zoom, which is no topic of ours: there is nowhere to put it back",
        "app-sessions holds the newest word on each key, and this one may be an old one",
        "was empty: there is nothing to put back",
    ]
    assert terminal.out.endswith("\n4 refused\n")
    assert all(terminal.records(topic, 3) == [] for topic in (topics.VIDEO, topics.APP_SESSIONS, topics.SESSION_FACTS))


def test_which_letters_must_be_said(terminal: Terminal, letters: Letters) -> None:
    assert terminal("re-drive") == 1
    assert "say which letters" in terminal.err
    assert terminal("re-drive", letters.audio, 999_999, "--dry-run") == 1
    assert "no letter 999999" in terminal.err


def test_the_original_bytes_go_back_to_where_they_came_from_once(terminal: Terminal, letters: Letters) -> None:
    assert terminal("re-drive", "--topic", "rtms.audio", "--dry-run") == 0
    assert "would be put back" in terminal.out
    assert terminal.records(topics.AUDIO, 3) == []

    assert terminal("re-drive", letters.audio, letters.audio_again, letters.utterance) == 0
    assert terminal.out.splitlines() == [
        f"{letters.audio}  rtms.audio/3/17  put back at offset 0",
        f"{letters.audio_again}  rtms.audio/3/17  put back before at offset 0",
        f"{letters.utterance}  transcripts/2/5  put back at offset 0",
        "2 put back, 1 put back before",
        "of media, sessions that have ended take nothing more",
    ]
    (back,) = terminal.records(topics.AUDIO, 3)
    assert (back.key, back.value) == (SESSION.encode(), framed(9, SECRET))
    (back,) = terminal.records(topics.TRANSCRIPTS, 2)
    assert (back.key, back.value) == (f"{OTHER}|utt_1".encode(), SECRET)

    assert terminal("re-drive", "--topic", "rtms.audio") == 0
    assert terminal.out.splitlines()[-2] == "2 put back before"
    assert len(terminal.records(topics.AUDIO, 3)) == 1
    listed = {line["number"]: line["re_driven_to"] for line in terminal.json("list")["letters"]}
    assert (listed[letters.audio], listed[letters.utterance], listed[letters.zoom]) == (0, 0, None)
    assert len(listed) == len(letters), "a note is no letter"


class Killed(BaseException):
    """What ends a process, and nobody handles."""


def test_a_run_that_dies_between_the_input_and_its_note_repeats_that_one_and_no_other(
    terminal: Terminal, write: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = [Origin("session-facts", 1, n, SESSION.encode()) for n in range(3)]
    numbers = [write(origin, "dies", b"x%d" % origin.offset) for origin in origins]
    module = sys.modules["connectors.kafka.re_driving"]
    encoded, notes = module.encoded, []

    def dies(*arguments: Any) -> Any:
        notes.append(1)
        if len(notes) == 2:
            raise Killed
        return encoded(*arguments)

    with monkeypatch.context() as killed:
        killed.setattr(module, "encoded", dies)
        with pytest.raises(Killed):
            terminal("re-drive", *numbers)
    assert terminal("re-drive", *numbers) == 0
    assert [record.value for record in terminal.records(topics.SESSION_FACTS, 1)] == [b"x0", b"x1", b"x1", b"x2"]


def test_a_ctrl_c_says_how_far_it_came_and_the_same_again_goes_on(
    terminal: Terminal, write: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = [Origin("session-facts", 2, n, SESSION.encode()) for n in range(3)]
    numbers = [write(origin, "interrupted", b"y%d" % origin.offset) for origin in origins]
    driving = sys.modules["connectors.kafka.re_driving"].ReDriving
    put_back, put = driving._put_back, []

    def interrupted(*arguments: Any) -> Any:
        put.append(1)
        if len(put) == 2:
            raise KeyboardInterrupt
        return put_back(*arguments)

    with monkeypatch.context() as ctrl_c:
        ctrl_c.setattr(driving, "_put_back", interrupted)
        assert terminal("re-drive", *numbers) == INTERRUPTED
    assert terminal.err == "interrupted: 1 put back; the same again goes on with the rest\n"
    assert terminal("re-drive", *numbers) == 0
    assert terminal.out.splitlines()[-1] == "1 put back before, 2 put back"
    assert [record.value for record in terminal.records(topics.SESSION_FACTS, 2)] == [b"y0", b"y1", b"y2"]


def test_what_somebody_said_at_length_is_clipped_in_the_list_and_whole_in_the_letter(
    terminal: Terminal, write: Callable[..., int]
) -> None:
    long = "and so on " * 18
    number = write(Origin("zoom", 0, 9), long, b"x", OTHER)
    terminal("show", number)  # what the writer logged is out of the way
    assert terminal("list", "--reason", "and so on") == 0
    assert max(map(len, terminal.out.splitlines())) < 200
    assert terminal.json("show", number)["reason"] == long


def test_records_that_are_no_letters_are_counted(
    terminal: Terminal, write: Callable[..., int], topics_ready: dict[str, str]
) -> None:
    before = terminal.json("list")["count"]
    producer = create_producer(terminal.settings, CONTROL)
    producer.send_blocking(topics.DEAD_LETTERS, b"k", b"no letter", 0)
    producer.send_blocking(topics.DEAD_LETTERS, b"k", None, 0)
    producer.close()
    document = terminal.json("list")
    assert (document["count"], document["unreadable"]) == (before, 2)
    assert terminal("list") == 0
    assert "2 records on the topic are no letters" in terminal.out


def test_a_broker_or_registry_that_is_away(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("RTMS_KAFKA_REGISTRY_URL", f"http://{nobody}")
    assert terminal("list") == 2
    assert terminal.err.startswith("error: registry unreachable")
    assert nobody in terminal.err
    monkeypatch.setenv("RTMS_KAFKA_REGISTRY_URL", terminal.settings.registry_url)
    monkeypatch.setenv("RTMS_KAFKA_BOOTSTRAP_SERVERS", nobody)
    monkeypatch.setattr("connectors.kafka.letter_box.ANSWER_S", 1.0)
    assert terminal("list") == 2
    assert f"Kafka at {nobody}" in terminal.err.splitlines()[-1]
    assert "Traceback" not in terminal.err


@pytest.mark.parametrize("verb", [(), ("list",), ("show",), ("re-drive",)])
def test_help_is_enough(verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["dead-letters", *verb, "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert "python -m connectors.kafka dead-letters" in text
    if verb == ("re-drive",):
        assert "A session that has ended takes\nnothing more" in text.replace("    ", "")
