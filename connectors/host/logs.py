"""One log format for our lines and the libraries': static messages with fields, JSON or console, on stderr.

A message is a constant and everything variable is a field, so that lines can be counted and searched. Fields whose
name says that they hold a secret or somebody's words never get through, whoever passes them.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from connectors.host.noise import NoiseFilter
from connectors.host.settings import LogSettings

Logger = structlog.stdlib.BoundLogger

_FORBIDDEN = frozenset(
    {
        "api_key", "authorization", "client_secret", "display_name", "participant_name", "password", "payload",
        "secret", "signature", "text", "token", "transcript", "user_name",
    }
)  # fmt: skip


# They log every request's URL, or every failed attempt of a call whose failure we report ourselves.
_QUIET = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "urllib3": logging.ERROR,
    "clickhouse_connect": logging.CRITICAL,
}


OURS = ("api", "connectors", "ingest", "processors", "schemas", "sinks")
"""Whose lines below INFO are logged. Those of libraries are headers, frames and records: keys, and what was said."""


def _redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name in _FORBIDDEN.intersection(event):
        event[name] = "[redacted]"
    return event


def _library_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Carry the noise filter's count from a standard log record into the fields."""
    record = event.get("_record")
    if record is not None and hasattr(record, "held_back"):
        event["held_back"] = record.held_back
    return event


def _service_field(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add


def configure(service: str, settings: LogSettings | None = None) -> None:
    """Set up logging for this process; call it once, first thing in `__main__`."""
    settings = settings or LogSettings()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _service_field(service),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    last: list[Processor]
    if settings.format == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain, because the pretty one prints local variables: payloads, names, secrets.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(NoiseFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _library_fields],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[settings.level]))
    for room in OURS:
        logging.getLogger(room).setLevel(settings.level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def get_logger(name: str) -> Logger:
    """A logger whose calls look like `log.info("session claimed", session_id=...)`."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
