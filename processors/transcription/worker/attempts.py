"""Runs one recognition in a process of its own, forked from one in which everything is loaded.

A fork costs milliseconds and takes away what the library remembers between calls, so an utterance's text depends on
the utterance alone. It also confines a crash or an endless loop of the native code to this one attempt.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from processors.transcription.recogniser import Recogniser, RecognitionFailed
from processors.transcription.worker.messages import Answer, Broken, Refused, Request, Text, answer, packed

_MANY_FILES = 1024
"""More than such a process has ever open."""


def attempted(recogniser: Recogniser, wanted: Request) -> Answer:
    """The answer to `wanted`. Must be called in a process without other threads."""
    return _forked(lambda: _recognised(recogniser, wanted), wanted.limit_s)


def _recognised(recogniser: Recogniser, wanted: Request) -> Answer:
    try:
        found = recogniser.recognise(wanted.pcm, wanted.sample_rate_hz)
    except RecognitionFailed as error:
        return Refused(str(error))
    return Text(tuple((segment.text, segment.start_ms, segment.end_ms) for segment in found.segments))


def _forked(work: Callable[[], Answer], limit_s: int) -> Answer:
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(work, sink, limit_s)
    os.close(sink)
    with os.fdopen(source, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        took_too_long = number == signal.SIGALRM
        return Broken(f"took longer than {limit_s} s" if took_too_long else f"died of signal {number}")
    return answer(said) if said else Broken("ended without an answer")


def _be_child(work: Callable[[], Answer], sink: int, limit_s: int) -> None:
    """Never returns. The kernel ends it when its time is up, whatever the native code does."""
    code = 1
    with suppress(BaseException):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(limit_s)
        _let_go(sink)
        said = packed(work())[4:]
        while said:
            said = said[os.write(sink, said) :]
        code = 0
    sys.stderr.flush()
    os._exit(code)


def _let_go(sink: int) -> None:
    """Close the parent's pipes: while a child holds them, nobody would notice that the parent died."""
    os.close(sys.stdin.fileno())
    os.closerange(sys.stderr.fileno() + 1, sink)
    os.closerange(sink + 1, _MANY_FILES)
