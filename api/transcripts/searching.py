"""Searching what was said in a project: what is looked for, what to read, how clients see it. Pure.

The project stands in the statement, by the sessions that ClickHouse has of it. What was deleted, and which engine is
meant where a session has several, the live view knows best: a row that it hides is dropped after reading, so a page may
have fewer items though more follow.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from typing_extensions import TypedDict

from api.errors import refused
from api.pages import PAGE_SIZE, Cursor, Key, Page, page_of
from api.times import queried_ms
from api.transcripts import utterances
from api.transcripts.folding import folded, folded_in_sql
from api.transcripts.highlights import highlighted
from api.transcripts.utterances import Row, TranscriptionDocument, UtteranceKeys
from schemas import settings as session_settings
from schemas.deletion import said_until_ms
from schemas.records import AppSession
from schemas.sessions import State
from schemas.settings import Engine

MOST_CHARACTERS, MOST_WORDS = 200, 10

READ = 4 * PAGE_SIZE + 1
"""Rows that are read for a page."""

_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_FOLDED_TEXT, _FOLDED_NAME = folded_in_sql("text"), folded_in_sql("ifNull(participant_name, '')")
_ALWAYS_MS, _NEVER_MS = -1, 2**62


class HitDocument(UtteranceKeys):
    """Something that was said with every wanted word in it.

    `highlight` is HTML: the words around the first of them, escaped, each in a `<mark>`.
    """

    app_session_id: str
    transcription: TranscriptionDocument
    highlight: str


class HitPage(TypedDict):
    """One page of hits, ascending in time. It may have fewer than 25 though `next` is there: go on until it is null."""

    next: str | None
    previous: str | None
    results: list[HitDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for: all of `words`, folded, anywhere in one utterance; empty filters let everything pass.

    Times are Unix milliseconds: [after_ms, before_ms) of the utterance's beginning, and of its last change.
    """

    words: tuple[str, ...]
    session_id: str = ""
    speaker: str = ""
    language: str = ""
    engine: str = ""
    after_ms: int = _ALWAYS_MS
    before_ms: int = _NEVER_MS
    updated_after_ms: int = _ALWAYS_MS


def search_of(given: Mapping[str, str]) -> Search:
    """The search in a request's parameters. Raises ApiError 400."""
    for name in ("app_session_id", "speaker", "language"):
        if len(given.get(name, "")) > MOST_CHARACTERS:
            raise refused(f"The {name} is longer than {MOST_CHARACTERS} characters.")
    engine = given.get("engine", "")
    if engine and engine not in set(Engine):
        raise refused(f"Unknown engine. Engines are: {', '.join(Engine)}")
    times = {
        f"{name}_ms": queried_ms(name, given[name]) for name in ("after", "before", "updated_after") if given.get(name)
    }
    return Search(
        words=words_of(given.get("query", "")),
        session_id=given.get("app_session_id", ""),
        speaker=folded(given.get("speaker", "").strip()),
        language=given.get("language", "").lower(),
        engine=engine,
        **times,
    )


def words_of(text: str) -> tuple[str, ...]:
    """What has to be in an utterance, folded: each word, and each `"phrase"` as a whole. Raises ApiError 400."""
    if len(text) > MOST_CHARACTERS:
        raise refused(f"The query is longer than {MOST_CHARACTERS} characters.")
    found = [" ".join(folded(phrase or word).split()) for phrase, word in _WORD.findall(text)]
    words = tuple(dict.fromkeys(word for word in found if word))
    if not words:
        raise refused('Say what to look for: query=budget, query="next quarter"')
    if len(words) > MOST_WORDS:
        raise refused(f"The query has more than {MOST_WORDS} words.")
    return words


def statement(project_id: str, search: Search, cursor: Cursor, longest_s: int) -> tuple[str, dict[str, Any]]:
    """The statement, and its parameters, for up to `READ` rows beyond `cursor`; it gives up after `longest_s`."""
    comparison, order = ("<", "DESC") if cursor.backwards else (">", "ASC")
    sql = f"""
SELECT session_id, engine, utterance_id, participant_id, participant_name, start_ms, end_ms, language, text,
  recognised_by, model, updated_at_ms, concat(session_id, ' ', utterance_id) AS place
FROM utterances
WHERE session_id IN (
    SELECT session_id FROM app_sessions
    WHERE project_id = {{project_id:String}} AND state != '{State.DATA_DELETED}'
      AND ({{session_id:String}} = '' OR session_id = {{session_id:String}})
  )
  AND status = 'final' AND ({{engine:String}} = '' OR engine = {{engine:String}})
  AND start_ms >= {{after_ms:Int64}} AND start_ms < {{before_ms:Int64}}
  AND (start_ms, place) {comparison} ({{time_ms:Int64}}, {{place:String}})
  AND updated_at_ms > {{updated_after_ms:Int64}}
  AND ({{language:String}} = '' OR lower(ifNull(language, '')) = {{language:String}}
       OR startsWith(lower(ifNull(language, '')), concat({{language:String}}, '-')))
  AND ({{speaker:String}} = '' OR position({_FOLDED_NAME}, {{speaker:String}}) > 0)
  AND NOT has(multiSearchAllPositions({_FOLDED_TEXT}, {{words:Array(String)}}), 0)
ORDER BY start_ms {order}, place {order}
LIMIT {READ}
SETTINGS max_execution_time = {longest_s:d}
"""  # noqa: S608  what others say is in the parameters
    before_ms = min(search.before_ms, cursor.key.time_ms + 1) if cursor.backwards else search.before_ms
    return sql, {
        "project_id": project_id,
        "words": list(search.words),
        "session_id": search.session_id,
        "speaker": search.speaker,
        "language": search.language,
        "engine": search.engine,
        "after_ms": search.after_ms if cursor.backwards else max(search.after_ms, cursor.key.time_ms),
        "before_ms": before_ms,
        "updated_after_ms": search.updated_after_ms,
        "time_ms": cursor.key.time_ms,
        "place": cursor.key.item_id,
    }


def is_shown(row: Row, session: AppSession | None, search: Search) -> bool:
    """Whether a row may be a hit; `session` is its session as it is now, None where the project has none of that id."""
    if session is None or row["start_ms"] <= said_until_ms(session):
        return False
    return bool(search.engine) or row["engine"] == session_settings.readable(session.settings).primary_engine


def page(rows: Sequence[Row], cursor: Cursor, shown: Callable[[Row], bool]) -> Page[Row]:
    """The page in `rows`, which were read for `cursor`: it begins, and goes on, where they do."""
    kept = [row for row in rows if shown(row)]
    found = page_of(kept[: PAGE_SIZE + 1], cursor, key_of)
    if len(kept) > PAGE_SIZE or len(rows) < READ:
        return found
    beyond = Cursor(key_of(rows[-1]), cursor.backwards)
    return replace(found, preceding=beyond) if cursor.backwards else replace(found, following=beyond)


def key_of(row: Row) -> Key:
    """Where a hit stands in the list."""
    return Key(row["start_ms"], row["place"])


def document(row: Row, search: Search) -> HitDocument:
    """A hit as clients see it."""
    return {
        **utterances.keys(row["session_id"], row["engine"], row),
        "app_session_id": row["session_id"],
        "transcription": {"transcript": row["text"]},
        "highlight": highlighted(row["text"], search.words),
    }
