"""What object storage holds of a session in the end: its records' media, and the files that the sink makes of them.

The files are made by the sink's own code, in one piece, in a folder that nobody else uses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from schemas import object_names
from schemas.keys import objects_folder
from schemas.records import OutputKind, Segment, SessionFact
from sinks.objects.finishing import Finishing
from sinks.objects.patience import Patience
from sinks.objects.settings import SinkObjectsSettings

_MEDIA = (OutputKind.ITEM, OutputKind.TRACK)
_ENDS = (OutputKind.END, OutputKind.TRACK_END)


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything by key; `recording` is the key of what clients are given, "" where there is none."""

    objects: Mapping[str, bytes] = field(default_factory=dict)
    recording: str = ""

    @property
    def movie(self) -> bytes:
        return self.objects.get(self.recording, b"")

    def tracks(self) -> dict[str, bytes]:
        """The files beside what clients are given as the recording, by name."""
        files = [key for key in self.objects if not {"segments", "headers"} & set(key.split("/"))]
        return {key.rpartition("/")[2].partition(".")[0]: self.objects[key] for key in files if key != self.recording}


def stored(session_id: str, segments: Iterable[Segment], folder: Path) -> Stored:
    """After all of a session's segments; those that end something come behind what they end."""
    with TemporaryDirectory(dir=folder) as root:
        store = ObjectStore(ObjectsSettings(url=Path(root, "objects").absolute().as_uri()))
        settings = SinkObjectsSettings(scratch_dir=Path(root))
        finishing, patience, facts = Finishing(store, settings), Patience(settings, _complain), list[SessionFact]()
        for segment in segments:
            if segment.kind in _MEDIA:
                store.put(object_names.header_key(session_id, object_names.header_name(segment.init)), segment.init)
                store.put(object_names.segment_key(segment), segment.payload)
            elif segment.kind in _ENDS:
                facts.append(finishing.finished(segment, patience, lambda: False))
        objects = {item.key: store.get(item.key) for item in store.list(objects_folder(session_id))}
    keys = [fact.stored.key for fact in facts if fact.stored is not None]
    return Stored(objects, next((key for key in reversed(keys) if key), ""))


def _complain(trouble: str | None) -> None:
    assert trouble is None, trouble
