"""Whatever stands in a picture, a recording comes out: from frames to the bytes of segments, never an exception."""

import io
from dataclasses import replace

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.muxing.bits import BitWriter, escaped
from processors.muxing.h264 import Nal, access_unit, kind
from schemas.records import Segment, Video
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, decoded, joined, muxed

T = START_MS
CODE = b"\0\0\1"
PICTURES = [record.payload for record in video_records(SESSION, [Shot(T, T + 1000, key_every=5)])]
SPS, PPS = access_unit(PICTURES[0]).parameters
SLICES = [nal for nal in access_unit(PICTURES[0]).nals if kind(nal) == Nal.IDR]
KEY = SLICES[0]


def annex_b(*nals: bytes) -> bytes:
    return b"".join(CODE + nal for nal in nals)


def pps(number: int, padding: bytes = b"") -> bytes:
    return b"\x68" + escaped(BitWriter().unsigned(number).unsigned(0).payload() + padding)


def sps(*fields: int, profile: int = 66, number: int = 0) -> bytes:
    """A sequence parameter set of these Exp-Golomb numbers behind its id, whatever they mean."""
    writer = BitWriter().bits(profile, 8).bits(0xC0, 8).bits(31, 8).unsigned(number)
    for field in fields:
        writer.unsigned(field)
    return b"\x67" + escaped(writer.payload() + bytes([0x55] * 20))


def recorded(payloads: list[bytes], every_ms: int = 200) -> list[Segment]:
    first, *_ = video_records(SESSION, [Shot(T, T + 100)])
    pictures = [
        replace(first, sequence=number, timestamp_ms=T + number * every_ms, payload=payload)
        for number, payload in enumerate(payloads, 1)
    ]
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 1500)]))
    return muxed(audio, wrapped(SESSION, [p for p in pictures if isinstance(p, Video)]))


def heard(parts: list[Segment]) -> float:
    """How loud it is, whether or not the pictures can be decoded."""
    with av.open(io.BytesIO(joined(parts))) as container:
        return max(float(abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0))


ODD = {
    "a picture parameter set beyond 64 kB": [annex_b(SPS, pps(1, bytes([0x55]) * 70_000), KEY)],
    "more picture parameter sets than there are ids": [annex_b(SPS, *(pps(n) for n in range(300)), KEY)],
    "more of them, one a picture": [annex_b(SPS, PPS, KEY), *(annex_b(pps(n), KEY) for n in range(1, 300))],
    "one id with ever new contents": [
        annex_b(SPS, PPS, KEY), *(annex_b(pps(9, n.to_bytes(2, "big") * 400), KEY) for n in range(0x5151, 0x5251))
    ],
    "more sequence parameter sets than ids": [annex_b(*(sps(1, 2, 3, 9, 9, number=n) for n in range(40)), PPS)],
    "a sequence parameter set of one byte": [annex_b(b"\x67", PPS, KEY)],
    "one that ends early": [annex_b(SPS[:4], PPS, KEY)],
    "an absurd chroma format": [annex_b(sps(700, 0, 0, 0, 0, 0, 1, 9, 9, profile=100), PPS, KEY)],
    "an absurd depth": [annex_b(sps(1, 900, 900, 0, 0, 0, 1, 9, 9, profile=100), PPS, KEY)],
    "pictures of 16384 x 16384": [annex_b(sps(0, 2, 1, 0, 1023, 1023), PPS, KEY)] * 3,
    "a number of 7 million bits": [annex_b(b"\x67\x42\xc0\x1f" + b"\0\0\3" * 300_000 + b"\x80", PPS, KEY)],
    "a NAL unit of one byte": [CODE + b"\x65", CODE + b"\x67", CODE + b"\x68", annex_b(SPS, PPS, KEY)],
    "nothing but parameter sets": [annex_b(SPS, PPS)] * 5,
    "a picture before its parameter sets": [annex_b(KEY), annex_b(KEY), annex_b(SPS), annex_b(PPS)],
}  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", ODD)
def test_odd_parameter_sets_cost_pictures_and_nothing_else(what: str) -> None:
    *parts, end = recorded([*ODD[what], *PICTURES[:5]])
    assert end.count == len(parts) > 0
    assert len(max((part.init for part in parts), key=len)) < 200_000
    assert heard(parts) > 0.01, "what was said is not heard"


def test_pictures_come_back_after_odd_parameter_sets() -> None:
    odd = annex_b(sps(700, 0, 0, 0, 0, 0, 1, 9, 9, profile=100), PPS, KEY)
    parts = recorded([*PICTURES[:5], odd, *PICTURES[:10]])
    result = decoded(joined(parts))
    assert result.errors == []
    assert result.mean_at((T + 1200 - parts[0].origin_ms) / 1000) > 60
    assert result.mean_at((T + 2200 - parts[0].origin_ms) / 1000) > 60


def test_parameter_sets_may_come_one_by_one_before_the_picture() -> None:
    parts = recorded([annex_b(SPS), annex_b(PPS), annex_b(*SLICES), *PICTURES[1:5]])
    result = decoded(joined(parts))
    assert result.errors == []
    assert result.mean_at((T + 700 - parts[0].origin_ms) / 1000) > 60


NALS = st.one_of(
    st.binary(max_size=80),
    st.binary(max_size=60).map(lambda data: b"\x67" + data),
    st.binary(max_size=60).map(lambda data: b"\x68" + data),
    st.binary(max_size=60).map(lambda data: b"\x65" + data),
    st.binary(max_size=60).map(lambda data: b"\x41" + data),
    st.sampled_from([SPS, PPS, KEY]),
    st.builds(lambda fields: sps(*fields, profile=100), st.lists(st.integers(0, 2**33), max_size=12)),
    st.builds(lambda fields: sps(*fields), st.lists(st.integers(0, 2000), max_size=12)),
    st.tuples(st.sampled_from([SPS, PPS, KEY]), st.integers(0, 30), st.binary(min_size=1, max_size=3)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + len(cut[2]) :]
    ),
)


@settings(max_examples=150)
@given(st.lists(st.lists(NALS, max_size=5).map(lambda nals: annex_b(*nals)), min_size=1, max_size=8))
def test_any_bytes_become_a_recording(payloads: list[bytes]) -> None:
    *parts, end = recorded(payloads, every_ms=150)
    assert end.count == len(parts) > 0
    assert recorded(payloads, every_ms=150) == [*parts, end]
