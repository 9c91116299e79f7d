"""A transcript as a file: in which formats, what stands in it, what it is called. Pure.

A file is written in parts, so that the longest meeting's takes no more memory than a page of it: a head, the
utterances in order, a tail.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from typing_extensions import TypedDict

from api.errors import refused
from api.transcript_formats import (
    WEB_VTT_HEAD,
    Cue,
    Render,
    in_markdown,
    markdown_paragraph,
    plain_line,
    sub_rip_cue,
    web_vtt_cue,
)
from api.transcripts import utterances
from api.transcripts.utterances import Row, TranscriptionDocument, UtteranceKeys
from schemas.records import AppSession, UtteranceStatus
from schemas.sessions import Progress
from schemas.settings import Engine
from schemas.times import iso_utc

READ = 500
"""Utterances that are read, and written, at a time: so many at most, and"""

READ_BYTES = 1024 * 1024
"""so much of what was said, or one utterance that is longer."""

QUERY = """
SELECT utterance_id, participant_id, participant_name, start_ms, end_ms, language, text, status, reason,
  recognised_by, model, words
FROM (
SELECT *, sum(length(text) + length(words)) OVER (
  ORDER BY start_ms, utterance_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
) AS bytes_before
FROM (
SELECT utterance_id, participant_id, participant_name, start_ms, end_ms, language, text, status, reason,
  recognised_by, model, words
FROM utterances
WHERE session_id = {session_id:String} AND engine = {engine:String}
  AND (status = 'final' AND text != '' OR status = 'failed')
  AND start_ms > {deleted_ms:Int64}
  AND start_ms >= {time_ms:Int64} AND (start_ms, utterance_id) > ({time_ms:Int64}, {utterance_id:String})
ORDER BY start_ms, utterance_id
LIMIT {read:UInt32}
)
)
WHERE bytes_before < {read_bytes:UInt64}
ORDER BY start_ms, utterance_id
"""

STATE_HEADER = "X-Transcription-State"

_RUNNING = "The transcription is not over: what is said later is missing."
_UNSETTLED = frozenset({Progress.NOT_STARTED, Progress.IN_PROGRESS})


class ExportedUtteranceDocument(UtteranceKeys):
    """Something somebody said; `transcription` is null where the words could not be made out, for that `reason`."""

    transcription: TranscriptionDocument | None
    status: str
    reason: str | None


class TranscriptExportDocument(TypedDict):
    """A whole transcript. From `start_timestamp_ms`, the recording's first moment or the first word's, the times in the
    other formats count. While `transcription_state` is `not_started` or `in_progress` more may come.
    """

    app_session_id: str
    engine: str
    state: str
    transcription_state: str
    start_timestamp_ms: int | None
    utterances: list[ExportedUtteranceDocument]


class Export(NamedTuple):
    """What is exported, as of now; `origin_ms` is what the times in the file count from, None where there are none."""

    session: AppSession
    engine: Engine
    origin_ms: int | None

    @property
    def is_settled(self) -> bool:
        """Whether no more is to come."""
        return self.session.transcription_state not in _UNSETTLED


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is written. `entry` is given an utterance and the how manieth written one it is, from 1."""

    suffix: str
    media_type: str
    head: Callable[[Export], str]
    entry: Callable[[int, Row, Export], str]
    tail: str = ""

    def entries(self, rows: Iterable[Row], export: Export, before: int) -> tuple[str, int]:
        """`rows` as they stand after `before` other entries, and how many there are then."""
        parts, written = [], before
        for row in rows:
            if part := self.entry(written + 1, row, export):
                parts.append(part)
                written += 1
        return "".join(parts), written

    def file_name(self, session_id: str) -> str:
        """What the file is called: nothing of it comes from anybody but us."""
        return f"{session_id}-transcript.{self.suffix}"


def _cue(row: Row) -> Cue:
    is_failed = row["status"] == UtteranceStatus.FAILED
    return Cue(row["start_ms"], row["end_ms"], row["participant_name"], None if is_failed else row["text"])


def _as(render: Render) -> Callable[[int, Row, Export], str]:
    return lambda number, row, export: render(number, _cue(row), export.origin_ms or 0)


def _about(export: Export) -> list[str]:
    lines = [f"Transcript of {export.session.session_id} by {export.engine}"]
    if export.origin_ms is not None:
        lines.append(f"Times count from {iso_utc(export.origin_ms)}.")
    return lines if export.is_settled else [*lines, _RUNNING]


def _vtt_head(export: Export) -> str:
    return WEB_VTT_HEAD if export.is_settled else f"{WEB_VTT_HEAD}\nNOTE {_RUNNING}\n"


def _text_head(export: Export) -> str:
    return "\n".join(_about(export)) + "\n\n"


def _markdown_head(export: Export) -> str:
    title, *more = _about(export)
    return "".join([f"# {in_markdown(title)}\n", *(f"\n{line}\n" for line in more)])


def _json_head(export: Export) -> str:
    head = {
        "app_session_id": export.session.session_id,
        "engine": str(export.engine),
        "state": export.session.state,
        "transcription_state": export.session.transcription_state,
        "start_timestamp_ms": export.origin_ms,
    }
    return _json(head).removesuffix("}") + ',"utterances":['


def _json_entry(number: int, row: Row, export: Export) -> str:
    keys = utterances.keys(export.session.session_id, export.engine, row)
    is_failed = row["status"] == UtteranceStatus.FAILED
    entry: ExportedUtteranceDocument = {
        **keys,
        "transcription": None if is_failed else utterances.transcription(row),
        "status": row["status"],
        "reason": row["reason"],
    }
    return ("\n" if number == 1 else ",\n") + _json(entry)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


FORMATS: Mapping[str, Format] = {
    found.suffix: found
    for found in (
        Format("vtt", "text/vtt; charset=utf-8", _vtt_head, _as(web_vtt_cue)),
        Format("srt", "application/x-subrip; charset=utf-8", lambda _: "", _as(sub_rip_cue)),
        Format("txt", "text/plain; charset=utf-8", _text_head, _as(plain_line)),
        Format("md", "text/markdown; charset=utf-8", _markdown_head, _as(markdown_paragraph)),
        Format("json", "application/json", _json_head, _json_entry, "\n]}\n"),
    )
}


def format_of(named: str) -> Format:
    """The format that is asked for. Raises ApiError 400."""
    if named not in FORMATS:
        raise refused(f"Unknown format. Formats are: {', '.join(FORMATS)}")
    return FORMATS[named]


def export_of(session: AppSession, engine: Engine, first: Iterable[Row]) -> Export:
    """Times count from the recording's first moment; without a recording, from the first utterance of all."""
    if session.recording is not None:
        return Export(session, engine, session.recording.start_ms)
    return Export(session, engine, next((row["start_ms"] for row in first), None))


def after(row: Row | None) -> dict[str, Any]:
    """The parameters of `QUERY` that go on after a row, or begin."""
    place = (-1, "") if row is None else (row["start_ms"], row["utterance_id"])
    return {"time_ms": place[0], "utterance_id": place[1], "read": READ, "read_bytes": READ_BYTES}


def headers(form: Format, export: Export) -> dict[str, str]:
    """What HTTP says of the file."""
    return {
        "Content-Disposition": f'attachment; filename="{form.file_name(export.session.session_id)}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        STATE_HEADER: export.session.transcription_state,
    }
