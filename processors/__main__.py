"""`python -m processors NAME`: one process runs one processor; each has its own consumer group."""

import sys

from connectors.host.program import Program, select
from connectors.host.settings import HealthSettings, LogSettings, SecretsSettings, TracesSettings
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.speech.settings import CustomAsyncSettings
from processors.composing.settings import ComposingSettings
from processors.lifecycle.settings import LifecycleSettings
from processors.muxing.settings import MuxingSettings
from processors.settings import ProcessorsSettings
from processors.transcription.settings import TranscriptionSettings

SHARED = (KafkaSettings, HealthSettings, LogSettings, TracesSettings)

PROGRAMS = (
    Program(
        "processors lifecycle",
        "processor-lifecycle",
        "folds facts about sessions into their states",
        (LifecycleSettings, *SHARED),
    ),
    Program(
        "processors participants",
        "processor-participants",
        "turns events and chat into what participants did",
        (ProcessorsSettings, *SHARED),
    ),
    Program(
        "processors transcription",
        "processor-transcription",
        "turns speech and captions into utterances",
        (TranscriptionSettings, CustomAsyncSettings, ProcessorsSettings, ObjectsSettings, SecretsSettings, *SHARED),
    ),
    Program(
        "processors muxing",
        "processor-muxing",
        "turns audio and video into recording segments",
        (MuxingSettings, ProcessorsSettings, *SHARED),
    ),
    Program(
        "processors composing",
        "processor-composing",
        "draws recordings anew where their view shows screen and speaker at once",
        (ComposingSettings, ObjectsSettings, *SHARED),
    ),
)


def main() -> int:
    """The exit status: 0 stopped when told to, 1 failed (a successor goes on), 2 cannot start as it is configured."""
    return select("processors", __doc__, PROGRAMS).serve_command()


if __name__ == "__main__":
    sys.exit(main())
