"""A recogniser process: `python -m processors.transcription.worker`. Started by the transcription processor.

It reads requests from stdin and writes answers to stdout until stdin ends: so it never outlives its parent, however
that ends. A terminal's Ctrl-C is the parent's business.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from processors.transcription.moonshine import Moonshine, package_folder
from processors.transcription.recogniser import RecogniserMissing
from processors.transcription.worker.attempts import attempted
from processors.transcription.worker.messages import Answer, Missing, packed, read, request

NICENESS = 5
"""Speech waits for media: a burst of it must not delay what carries the frames. Another may be given on the command
line: what was said long ago waits for what is being said."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["MOONSHINE_ORT_SINGLE_THREAD"] = "1"
    os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not get between
    with suppress(BrokenPipeError), answers:
        _serve(_loaded(), answers)


def _loaded() -> Moonshine | Missing:
    try:
        return Moonshine(package_folder())
    except RecogniserMissing as error:
        return Missing(str(error))


def _serve(recogniser: Moonshine | Missing, answers: BinaryIO) -> None:
    while (body := read(sys.stdin.buffer)) is not None:
        answer: Answer = recogniser if isinstance(recogniser, Missing) else attempted(recogniser, request(body))
        answers.write(packed(answer))
        answers.flush()


if __name__ == "__main__":
    main()
