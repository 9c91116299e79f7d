"""Sound as every codec that Zoom knows carries it: real packets, made of the records of plain samples."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from connectors.rtms.simulator import audio_encoder
from connectors.rtms.simulator.audio_encoder import AudioCodec
from schemas.records import Audio, Codec

RATES_HZ = {Codec.L16: 16_000, Codec.G711: 8_000, Codec.G722: 16_000, Codec.OPUS: 48_000}
CHUNK_MS = 20


def encoded(records: Iterable[Audio], codec: Codec, channels: int = 1) -> list[Audio]:
    """Mono L16 at the codec's rate in chunks of 20 ms, coded anew; each participant has one encoder for all of it."""
    kept = list(records)
    speakers = sorted({record.participant_id for record in kept})
    made = [coded for who in speakers for coded in _run([r for r in kept if r.participant_id == who], codec, channels)]
    return sorted(made, key=lambda record: record.sequence)


def _run(records: list[Audio], codec: Codec, channels: int) -> Iterable[Audio]:
    chunks = (np.frombuffer(record.payload, "<i2") for record in records)
    packets = audio_encoder.encode(chunks, AudioCodec(codec), RATES_HZ[codec], channels)
    for record, packet in zip(records, packets, strict=True):
        yield replace(record, codec=codec, channels=channels, payload=packet)
