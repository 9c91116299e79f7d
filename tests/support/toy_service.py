"""The toy processor as a process: `python -m tests.support.toy_service`; its outputs are records of `transcripts`."""

import asyncio
import json
import random
import sys
from collections.abc import Sequence

from connectors.host.program import Program
from processors.__main__ import SHARED
from processors.settings import ProcessorsSettings
from processors.shell import service
from processors.shell.applications import Output
from schemas.records import OutputKind, Utterance
from schemas.sessions import Awaited
from schemas.topics import TRANSCRIPTION_STATE, TRANSCRIPTS
from tests.support.toy_processor import ToyLogic, identify

ENGINE = "toy"
SLOWEST_S = 0.3


def utterance(session_id: str, work: object) -> Utterance:
    item_id, content = identify(session_id, work)
    text = json.dumps(content)
    return Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=item_id, engine=ENGINE, text=text)


class ToyApplication:
    """Takes a while for everything, so that outputs overtake each other."""

    name = "toy"
    state_topic = TRANSCRIPTION_STATE
    result = Awaited.TRANSCRIPT
    max_in_flight = 16
    partials = None

    def __init__(self) -> None:
        self.logic = ToyLogic()

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        return

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        await asyncio.sleep(random.uniform(0, SLOWEST_S))
        record = utterance(session_id, work)
        return [Output(TRANSCRIPTS, record.utterance_id, record)]


if __name__ == "__main__":
    program = Program("tests.support.toy_service", "processor-toy", "A toy.", (ProcessorsSettings, *SHARED))
    sys.exit(program.serve(lambda running: service.run(running, lambda _: ToyApplication())))
