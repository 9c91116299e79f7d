"""What all measurements of receiving stand on: Kafka, a load with its certificate, and cores shared out.

One core is the receivers' alone; Kafka and the load have the others, so that "per core" means what it says.
"""

import datetime
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.simulator.certificates import make_certificate
from schemas import topics
from tests.bench.broker import kafka_in
from tests.bench.streams.child import Child

_MEDIA_TOPICS = (topics.AUDIO, topics.VIDEO)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where everything is; `cores` are the receivers' own, none where there is but one core."""

    folder: Path
    certificate: Path
    kafka: dict[str, str]
    zoom: Child
    url: str
    cores: Sequence[int]

    def receiver(self, side: str, *, transport: str = "picows", send_rate_ms: int = 100) -> Child:
        """A process that receives in the manner of `side`; see `streams.client`."""
        kept = Path(tempfile.mkdtemp(dir=self.folder))
        arguments = [side, self.url, "--ca-file", self.certificate, "--folder", kept, "--send-rate", send_rate_ms]
        if self.cores:
            arguments += ["--cores", *self.cores]
        zoom = {
            "RTMS_ZOOM_ALLOWED_HOSTS": "127.0.0.1",
            "RTMS_ZOOM_CA_FILE": str(self.certificate),
            "RTMS_ZOOM_TRANSPORT": transport,
        }
        return Child("tests.bench.streams.client", arguments, self.folder / f"{side}.log", self.kafka | zoom)

    def zooms_sdk(self, *, send_rate_ms: int = 100) -> Child:
        """Zoom's own SDK as a receiver; see `streams.zooms_sdk`."""
        kept = Path(tempfile.mkdtemp(dir=self.folder))
        arguments = [self.url, "--folder", kept, "--send-rate", send_rate_ms]
        if self.cores:
            arguments += ["--cores", *self.cores]
        trust = {"ZM_RTMS_CA": str(self.certificate), "ZM_RTMS_LOG_ENABLED": "false"}
        return Child("tests.bench.streams.zooms_sdk", arguments, self.folder / "zooms_sdk.log", trust)

    def records(self) -> int:
        """How many records the log holds on the topics of frames."""
        settings = KafkaSettings(
            bootstrap_servers=self.kafka["RTMS_KAFKA_BOOTSTRAP_SERVERS"],
            partitions=int(self.kafka["RTMS_KAFKA_PARTITIONS"]),
        )
        places = [Place(topic.name, number) for topic in _MEDIA_TOPICS for number in range(settings.partitions)]
        return sum(OffsetDirectory(settings).ends(places).values())

    def forget_streams(self) -> None:
        """After the receivers are gone: the load closes its side, and what rivals kept makes room."""
        self.zoom.ask("forget")
        for kept in self.folder.glob("tmp*"):
            shutil.rmtree(kept)


@contextmanager
def prepared() -> Iterator[Ground]:
    """Everything started; gone afterwards, with all data."""
    with tempfile.TemporaryDirectory(prefix="rtms-bench-") as name, _sharing_cores() as cores:
        folder = Path(name)
        certificate, key = make_certificate(folder, datetime.datetime.now(datetime.UTC))
        with kafka_in(folder) as kafka:
            with Child("tests.bench.streams.zoom", [certificate, key], folder / "zoom.log") as zoom:
                yield Ground(folder, certificate, kafka, zoom, zoom.hear()["url"], cores)


@contextmanager
def _sharing_cores() -> Iterator[Sequence[int]]:
    """Leave one core to the receivers: what we start from here on runs on the others."""
    before = os.sched_getaffinity(0)
    if len(before) == 1:
        yield ()
        return
    receivers, *others = sorted(before)
    os.sched_setaffinity(0, others)
    try:
        yield (receivers,)
    finally:
        os.sched_setaffinity(0, before)
