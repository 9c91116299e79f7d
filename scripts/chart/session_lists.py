"""The dashboard of what ClickHouse has: which session, which receiver. Prometheus has no label for either.

Rows are replaced by derived ids, so every table is read with FINAL. What a document says is read of those rows alone
that the light columns name first. By its sorting key a row may be chosen before it is replaced (PREWHERE); by anything
else, such as its state, only afterwards (WHERE).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ingest.settings import IngestSettings
from schemas.records import DeliveryStatus
from schemas.session_states import DELETABLE, LIVE, TERMINAL, Awaited, State
from schemas.topics import DAY_MS
from scripts.chart.grafana import Json, Page, datasource, page

PLUGIN = "grafana-clickhouse-datasource"
UID = "rtms-sessions"


class Listing(NamedTuple):
    """One table of the dashboard."""

    title: str
    description: str
    sql: str


_SOURCE = {"type": PLUGIN, "uid": "${datasource}"}
_LOOKED_AT_MS = 14 * DAY_MS
_NOW_MS = "toUnixTimestamp64Milli(now64(3))"
_PROJECT = "$__conditionalAll(project_id IN (${project:singlequote}), $project)"
_RECENT = f"created_at_ms >= {_NOW_MS} - {_LOOKED_AT_MS}"
_GRACE_MS = 60_000

_SESSIONS = """
SELECT
  COLUMNS
FROM (
  SELECT
    session_id, project_id, state, created_at_ms, document,
    JSONExtract(
      document, 'history',
      'Array(Tuple(old_state String, new_state String, created_at_ms Int64, sub_type String, metadata String))'
    ) AS history,
    arrayFilter(entry -> entry.old_state != entry.new_state, history) AS steps,
    arrayMax(entry -> entry.created_at_ms, steps) AS since_ms,
    arraySort(
      hole -> hole.from_ms, JSONExtract(document, 'holes', 'Array(Tuple(medium String, from_ms Int64, to_ms Int64))')
    ) AS holes
  FROM ${database}.app_sessions FINAL
  PREWHERE (project_id, created_at_ms, session_id) IN (
    SELECT project_id, created_at_ms, session_id FROM ${database}.app_sessions FINAL
    WHERE state IN (STATES) AND CREATED
      AND PROJECT
    ORDER BY created_at_ms DIRECTION LIMIT 5000
  )
  WHERE state IN (STATES)
)
WHERE CONDITION
ORDER BY ORDER
LIMIT 1000
"""

_NAMED = "session_id, project_id"
_SINCE = "fromUnixTimestamp64Milli(since_ms) AS SINCE"
_REQUESTED = "fromUnixTimestamp64Milli(created_at_ms) AS requested"
_WORKER = "JSONExtractString(document, 'worker') AS worker"
_PROGRESS = (
    "JSONExtractString(document, 'recording_state') AS recording,"
    " JSONExtractString(document, 'transcription_state') AS transcript"
)
_FAILURES = "arrayStringConcat(JSONExtract(document, 'failures', 'Array(String)'), '; ') AS failures"
_OF_MEDIUM = "arrayFilter(hole -> hole.medium = missed, holes)"
# Of a medium's holes, as they begin, the length of all together; where two overlap, once.
_MISSING = """arrayStringConcat(arrayMap(
    missed -> concat(missed, ': ', toString(length(OF_MEDIUM)), ' (', toString(round(arraySum(
      (hole, reached) -> greatest(0, hole.to_ms - greatest(hole.from_ms, reached)),
      OF_MEDIUM,
      arrayPushFront(arrayPopBack(arrayReduceInRanges(
        'max', arrayMap(number -> (1, number), arrayEnumerate(OF_MEDIUM)), tupleElement(OF_MEDIUM, 'to_ms')
      )), 0)
    ) / 1000, 1)), ' s)'),
    arraySort(arrayDistinct(tupleElement(holes, 'medium')))
  ), ', ') AS holes_by_medium""".replace("OF_MEDIUM", _OF_MEDIUM)
_REASON = """arrayStringConcat(arrayDistinct(arrayFilter(code -> code != '', arrayFlatten(arrayMap(
    step -> [step.sub_type, JSONExtractString(step.metadata, 'reason')],
    arrayFilter(step -> step.new_state IN (ENDINGS), steps)
  )))), ', ') AS reason"""
_AWAITED = """arrayStringConcat(arrayConcat(
    JSONExtract(document, 'awaiting', 'Array(String)'),
    if(JSONExtractBool(document, 'awaits_copy'), ['COPY'], []),
    if(JSONExtractBool(document, 'awaits_composing'), ['COMPOSED'], [])
  ), ', ') AS waits_for"""

# Tried is the head of a lane alone (one session's deliveries to one receiver), so of what is pending the oldest of each
# lane are read; of what is over, each receiver's newest.
_RECEIVERS = """
SELECT
  subscription_id, project_id, sessions, given_up, waiting, last_answer,
  fromUnixTimestamp64Milli(arrayMin(arrayFilter(at -> at > taken_ms, failures_ms))) AS failing_since,
  fromUnixTimestamp64Milli(failed_ms) AS last_failure,
  if(taken_ms = 0, NULL, fromUnixTimestamp64Milli(taken_ms)) AS last_taken
FROM (
  SELECT
    project_id, subscription_id,
    maxIf(attempt.at_ms, is_taken) AS taken_ms,
    maxIf(attempt.at_ms, NOT is_taken) AS failed_ms,
    groupArrayIf(attempt.at_ms, NOT is_taken) AS failures_ms,
    uniqExactIf(session_id, NOT is_taken) AS sessions,
    argMaxIf(if(attempt.error = '', toString(attempt.status_code), attempt.error), attempt.at_ms, NOT is_taken)
      AS last_answer
  FROM (
    SELECT
      project_id, subscription_id, session_id,
      arrayJoin(JSONExtract(
        document, 'attempts', 'Array(Tuple(at_ms Int64, status_code Int32, error String))'
      )) AS attempt,
      attempt.status_code BETWEEN 200 AND 299 AS is_taken
    FROM ${database}.webhook_deliveries FINAL
    PREWHERE (project_id, created_at_ms, delivery_id) IN (
      SELECT project_id, created_at_ms, delivery_id FROM ${database}.webhook_deliveries FINAL
      WHERE CREATED
        AND PROJECT
      ORDER BY if(status = 'PENDING', created_at_ms, -created_at_ms)
      LIMIT 20 BY project_id, subscription_id, status, if(status = 'PENDING', session_id, '')
    )
  )
  GROUP BY project_id, subscription_id
  HAVING failed_ms > taken_ms
) AS tried
INNER JOIN (
  SELECT
    project_id, subscription_id, countIf(status = 'FAILED') AS given_up, countIf(status = 'PENDING') AS waiting
  FROM ${database}.webhook_deliveries FINAL
  WHERE CREATED
    AND PROJECT
  GROUP BY project_id, subscription_id
) AS counted USING (project_id, subscription_id)
ORDER BY failing_since
LIMIT 1000
"""


def _filled(sql: str, **words: str) -> str:
    """The statement with these words in place of their names in capitals."""
    for name, word in words.items():
        sql = sql.replace(name, word)
    return sql.strip()


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def _sessions(states: Iterable[str], columns: Sequence[str], order: str, **words: str) -> str:
    usual = {"CREATED": _RECENT, "DIRECTION": "DESC", "CONDITION": "1"} | words
    chosen = {"STATES": _quoted(states), "COLUMNS": ",\n  ".join(columns), "ORDER BY ORDER": f"ORDER BY {order}"}
    return _filled(_SESSIONS, **chosen, **usual, PROJECT=_PROJECT)


def _since(column: str) -> str:
    return _filled(_SINCE, SINCE=column)


def _overdue() -> str:
    """Past the deadline of its state, as a worker states it that keeps the defaults (`ingest.ownership.Deadlines`)."""
    told = IngestSettings.model_fields
    deadlines = {
        State.CONNECTING: ("since_ms", told["connecting_deadline_s"]),
        State.DISCONNECTING: ("since_ms", told["disconnecting_deadline_s"]),
        State.POST_PROCESSING: ("since_ms", told["post_processing_deadline_s"]),
        State.CONNECTED: ("created_at_ms", told["total_deadline_s"]),
    }
    return "\n  OR ".join(
        f"(state = '{state}' AND {begun} < {_NOW_MS} - {round(field.default * 1000) + _GRACE_MS})"
        for state, (begun, field) in deadlines.items()
    )


_WAITS_FOR = _filled(_AWAITED, COPY=Awaited.COPY, COMPOSED=Awaited.COMPOSED)
_WHY = _filled(_REASON, ENDINGS=_quoted({State.DISCONNECTING, State.FATAL_ERROR}))
_LASTED_MS = round(IngestSettings.model_fields["total_deadline_s"].default * 1000) + DAY_MS // 4

LISTS: Mapping[str, Sequence[Listing]] = {
    "Sessions": [
        Listing(
            "Live now",
            "Whatever the time range. holes_by_medium: how many, and how much of the medium they are together.",
            _sessions(
                LIVE,
                (_NAMED, "state", _since("since"), _REQUESTED, _WORKER, _PROGRESS, _MISSING),
                "created_at_ms DESC, session_id",
            ),
        ),
        Listing(
            "Over, and still to be stored",
            "Whatever the time range; the longest first.",
            _sessions(
                {State.POST_PROCESSING},
                (_NAMED, _since("since"), _WAITS_FOR, _PROGRESS, _FAILURES, _MISSING),
                "since_ms, session_id",
                DIRECTION="ASC",
            ),
        ),
        Listing(
            "Stuck",
            "A minute past the deadline of their state (the defaults of RTMS_INGEST_*_DEADLINE_S) and still in it:"
            " no worker of ingest, or no lifecycle, does its part.",
            _sessions(
                frozenset(State) - TERMINAL - {State.READY},
                (_NAMED, "state", _since("since"), _REQUESTED, _WORKER, _WAITS_FOR),
                "since_ms, session_id",
                DIRECTION="ASC",
                CONDITION=_overdue(),
            ),
        ),
        Listing(
            "Ended in the time range",
            "The newest first. reason: why the stream ended, or could not be had; failures: what is not there of the"
            " session. Of the newest 5,000 that were requested.",
            _sessions(
                DELETABLE,
                (_NAMED, "state", _since("ended"), _REQUESTED, _WHY, _FAILURES, _MISSING, _PROGRESS),
                "since_ms DESC, session_id",
                CREATED=f"created_at_ms BETWEEN ${{__from}} - {_LASTED_MS} AND ${{__to}}",
                CONDITION="since_ms BETWEEN ${__from} AND ${__to}",
            ),
        ),
    ],
    "Webhooks": [
        Listing(
            "Receivers that fail",
            "Of what was to be told in the time range: receivers whose last attempt was not taken. given_up and waiting"
            " count deliveries; last_answer is a status, or why there was none.",
            _filled(
                _RECEIVERS,
                CREATED="created_at_ms BETWEEN ${__from} AND ${__to}",
                PROJECT=_PROJECT,
                PENDING=DeliveryStatus.PENDING,
                FAILED=DeliveryStatus.FAILED,
            ),
        ),
    ],
}


def document() -> str:
    """What Grafana imports."""
    variables = [datasource(PLUGIN, "ClickHouse"), _database(), _projects()]
    about = Page(UID, "RTMS: sessions", variables, refresh="1m", since="now-6h")
    return page(about, {heading: [_table(listing) for listing in row] for heading, row in LISTS.items()}, beside=1)


def _asked(sql: str) -> Json:
    """A statement as the plugin keeps one that nobody put together in its builder."""
    return {"editorType": "sql", "pluginVersion": "4.0.0", "queryType": "table", "format": 1, "rawSql": sql}


def _table(listing: Listing) -> Json:
    return {
        "type": "table",
        "title": listing.title,
        "description": listing.description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"custom": {"filterable": True}}, "overrides": []},
        "options": {"showHeader": True, "cellHeight": "sm"},
        "targets": [{"refId": "A", "datasource": _SOURCE, **_asked(listing.sql)}],
    }


def _variable(name: str, label: str, sql: str) -> Json:
    asked = {"refId": name, **_asked(sql)}
    told = {"name": name, "label": label, "type": "query", "datasource": _SOURCE}
    return told | {"query": asked, "refresh": 1}


def _database() -> Json:
    """The databases with these tables that the data source's account may see."""
    sql = "SELECT DISTINCT database FROM system.tables WHERE name = 'app_sessions' ORDER BY database"
    return _variable("database", "Database", sql)


def _projects() -> Json:
    sql = _filled(
        "SELECT DISTINCT project_id FROM ${database}.app_sessions WHERE CREATED ORDER BY project_id", CREATED=_RECENT
    )
    of_all = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return _variable("project", "Project", sql) | {"includeAll": True, "multi": True, "current": of_all}
