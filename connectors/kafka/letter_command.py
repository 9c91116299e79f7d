"""`python -m connectors.kafka dead-letters`: what was put aside, why, and back with it once the reason is gone.

What people said is in the letters, so nothing of a payload is printed unless it is asked for.
"""

import argparse
import json
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kafka.decoder import Decoder
from connectors.kafka.letter_box import Filter, InputPlace, Letter, LetterBox
from connectors.kafka.producer import create_producer
from connectors.kafka.re_driving import RE_DRIVE, Outcome, ReDriving, is_media
from connectors.kafka.settings import KafkaSettings

LISTED = 50
REASON_SHOWN = 100
"""Of a reason in the table: whoever wrote it may have gone on and on. `show` has all of it."""

_BYTES_A_LINE = 16

_ABOUT = """Inputs that nobody could use, put aside while the work went on. A letter is known by its number."""

_USAGE = """for example:
  python -m connectors.kafka dead-letters list --reason "unknown schema"
  python -m connectors.kafka dead-letters show 17 --data
  python -m connectors.kafka dead-letters re-drive 17 18

What people said may be in a letter: none of it is printed unless you ask for it (--data, --out).
Kafka and the registry are found by RTMS_KAFKA_*: `python -m connectors.kafka --help` lists them."""

_RE_DRIVE = """Put the original bytes back on the topic and partition they came from, under the same key.

Do it when the reason is gone: a schema has been registered, a release can read what an older one could not.
  * What was put back is noted, and no later run does it again.
  * A letter that holds only the start of its input is refused, and so is one whose input came from no topic (Zoom's
    socket), or from a topic where only the newest record of a key counts.
  * What still cannot be used comes back as a new letter.
  * Readers know a record by its ids, so one that they had after all changes nothing. A session that has ended takes
    nothing more: what is put back on rtms.* after its end, and facts about it, are read and left out; transcripts,
    participant events and recording segments are stored."""


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The sub-commands of `dead-letters`."""
    parser = commands.add_parser(
        "dead-letters",
        help="list, show and re-drive inputs put aside",
        description=_ABOUT,
        epilog=_USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)

    listing = verbs.add_parser("list", help="the newest letters, and how many there are by reason", description=_ABOUT)
    _add_filters(listing)
    listing.add_argument("--limit", type=_limit, default=LISTED, metavar="N", help=f"show at most N ({LISTED})")
    listing.add_argument("--json", action="store_true", help="one JSON document instead of a table")

    showing = verbs.add_parser("show", help="one letter", description="One letter, without its payload by default.")
    showing.add_argument("number", type=int, help="from `list`")
    showing.add_argument("--data", action="store_true", help="print the bytes that were kept, as hex and text")
    showing.add_argument("--out", type=Path, metavar="FILE", help="write the bytes that were kept to FILE")
    showing.add_argument("--json", action="store_true", help="one JSON document instead of lines")

    driving = verbs.add_parser(
        "re-drive",
        help="put inputs back where they came from",
        description=_RE_DRIVE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    driving.add_argument("numbers", type=int, nargs="*", metavar="number", help="from `list`")
    _add_filters(driving)
    driving.add_argument("--all", action="store_true", help="every letter that is kept")
    driving.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of letters")
    return int(text)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", help="only what came from this topic (`zoom`: from Zoom's sockets)")
    parser.add_argument("--session", metavar="ID", help="only what belongs to this session")
    parser.add_argument("--reason", metavar="TEXT", help="only where the reason contains this")


def run(options: argparse.Namespace, settings: KafkaSettings) -> bool:
    """Do what was asked; whether all of it was done. Raises KafkaError."""
    decoder = Decoder.from_settings(settings)
    box = LetterBox(settings, decoder)
    if options.verb == "list":
        return _list(box, _filter(options), options.limit, as_json=options.json)
    if options.verb == "show":
        return _show(box, options)
    return _re_drive(settings, decoder, box, options)


def _filter(options: argparse.Namespace) -> Filter:
    return Filter(options.topic, options.session, options.reason)


# --- list -----------------------------------------------------------------------------------------------------------


def _list(box: LetterBox, wanted: Filter, limit: int, *, as_json: bool) -> bool:
    newest: deque[dict[str, Any]] = deque(maxlen=limit)
    reasons: Counter[str] = Counter()
    notes: dict[tuple[InputPlace, str], int | None] = {}
    kept = 0
    for letter in box.everything():
        kept += not letter.is_note
        if letter.is_note:
            notes[letter.input] = letter.content.re_driven_to
        elif wanted.passes(letter.content):
            newest.append(headline(letter))
            reasons[letter.content.reason] += 1
    found = list(reversed(newest))
    for line in found:
        place = InputPlace(line["topic"], line["partition"], line["offset"])
        line["re_driven_to"] = notes.get((place, line["sha256"]))
    if as_json:
        counted = {"count": reasons.total(), "reasons": dict(reasons.most_common()), "unreadable": box.unreadable}
        print(json.dumps({"letters": found, **counted}, indent=2))
    else:
        print("\n".join([*_lines(found, reasons, kept), *_foreign(box.unreadable)]))
    return True


def headline(letter: Letter) -> dict[str, Any]:
    """What may be said of a letter: everything but its key and its bytes."""
    content = letter.content
    return {
        "number": letter.number,
        "written_at": datetime.fromtimestamp(letter.written_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "topic": content.topic,
        "partition": content.partition,
        "offset": content.offset,
        "session_id": content.session_id,
        "reason": content.reason,
        "length": content.length,
        "kept": len(content.data),
        "sha256": content.sha256,
    }


def _lines(found: list[dict[str, Any]], reasons: Counter[str], kept: int) -> Iterator[str]:
    """Of `kept` letters those that are meant."""
    if found:
        rows = [("number", "written", "place", "bytes", "session", "put back at", "reason")]
        rows += [
            (
                str(line["number"]), line["written_at"],
                str(InputPlace(line["topic"], line["partition"], line["offset"])), str(line["length"]),
                _printable(line["session_id"] or "-"),
                "-" if line["re_driven_to"] is None else str(line["re_driven_to"]), _clipped(line["reason"]),
            )
            for line in found
        ]  # fmt: skip
        yield from _table(rows)
        yield ""
    if reasons:
        yield from _table([("letters", "reason"), *((str(n), _clipped(reason)) for reason, n in reasons.most_common())])
        if reasons.total() > len(found):
            yield f"{len(found)} of {reasons.total()} letters shown; --limit shows more"
    else:
        yield f"none of {_count(kept, 'dead letter')} matches" if kept else "no dead letters"


def _foreign(unreadable: int) -> Iterator[str]:
    if unreadable:
        yield (
            "1 record on the topic is no letter"
            if unreadable == 1
            else f"{unreadable} records on the topic are no letters"
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _clipped(reason: str) -> str:
    return _printable(reason if len(reason) <= REASON_SHOWN else f"{reason[: REASON_SHOWN - 1]}…")


def _printable(text: str) -> str:
    """Keys may be anything, and a terminal obeys what it is sent."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


# --- show -----------------------------------------------------------------------------------------------------------


def _show(box: LetterBox, options: argparse.Namespace) -> bool:
    letter = box.letter(options.number)
    if letter is None:
        print(f"error: there is no letter {options.number}; `list` shows those that are kept", file=sys.stderr)
        return False
    document = headline(letter)
    if letter.is_note:
        document["re_driven_to"] = letter.content.re_driven_to
    data = letter.content.data
    if options.out is not None and not _written(options.out, data):
        return False
    if options.json:
        if options.data:
            document["data_hex"] = data.hex()
        print(json.dumps(document, indent=2))
    else:
        print("\n".join(f"{name:12}  {_printable(str(value))}" for name, value in document.items()))
        if options.data:
            print("\n".join(["", *hex_lines(data)]))
    return True


def _written(path: Path, data: bytes) -> bool:
    """Whether the bytes are there; why not, or how many, has been said."""
    try:
        path.write_bytes(data)
    except OSError as error:
        print(f"error: cannot write {path}: {error.strerror}", file=sys.stderr)
        return False
    print(f"{len(data)} bytes written to {path}", file=sys.stderr)
    return True


def hex_lines(data: bytes) -> Iterator[str]:
    """The bytes as hex and text, 16 a line."""
    for start in range(0, len(data), _BYTES_A_LINE):
        line = data[start : start + _BYTES_A_LINE]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in line)
        yield f"{start:08x}  {line.hex(' '):47}  {text}"


# --- re-drive -------------------------------------------------------------------------------------------------------


def _re_drive(settings: KafkaSettings, decoder: Decoder, box: LetterBox, options: argparse.Namespace) -> bool:
    wanted, numbers = _filter(options), frozenset(options.numbers)
    if not numbers and wanted.is_everything and not options.all:
        print("error: say which letters: their numbers, --topic, --session, --reason, or --all", file=sys.stderr)
        return False
    producer = None if options.dry_run else create_producer(settings, RE_DRIVE)
    outcomes: Counter[Outcome] = Counter()
    met: set[int] = set()
    has_media = False
    try:
        driving = ReDriving(settings, box, decoder.codec, producer)
        for letter, outcome, detail in driving.run(lambda letter: _is_meant(letter, numbers, wanted)):
            print(f"{letter.number}  {_printable(str(letter.place))}  {outcome} {detail}".rstrip(), flush=True)
            outcomes[outcome] += 1
            met.add(letter.number)
            has_media |= is_media(letter) and outcome is not Outcome.REFUSED
    except KeyboardInterrupt:
        so_far = _sum(outcomes) or "nothing put back yet"
        print(f"interrupted: {so_far}; the same again goes on with the rest", file=sys.stderr)
        raise
    finally:
        if producer is not None:
            producer.close()
    missing = numbers - met
    for number in sorted(missing):
        print(f"error: no letter {number} among those meant; `list` shows what is kept", file=sys.stderr)
    print(_sum(outcomes) or "nothing to do")
    if has_media:
        print("of media, sessions that have ended take nothing more")
    return not missing and not outcomes[Outcome.REFUSED]


def _sum(outcomes: Counter[Outcome]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())


def _is_meant(letter: Letter, numbers: frozenset[int], wanted: Filter) -> bool:
    return (not numbers or letter.number in numbers) and wanted.passes(letter.content)
