import hashlib

from deploy.local.demo.accounting import MediumAccount
from schemas.records import Audio, RecordKind


def record(sequence, *, epoch=1, kind=RecordKind.FRAME, payload=b"ab", participant=7):
    return Audio(
        session_id="app_1",
        kind=kind,
        participant_id=participant,
        epoch=epoch,
        sequence=sequence,
        timestamp_ms=1000 + sequence,
        arrived_us=0,
        payload=payload,
    )


def account(*records):
    result = MediumAccount()
    for entry in records:
        result.feed(entry, 5_000)
    return result


def test_frames_bytes_and_digests():
    result = account(record(0, kind=RecordKind.BEGIN), record(1, payload=b"x"), record(2, payload=b"yz"))
    assert (result.frames, result.size_bytes, result.lost, result.doubled) == (2, 3, 0, 0)
    assert result.digests() == {7: hashlib.sha256(b"xyz").hexdigest()}
    assert result.latency_ms() == {"p50": 5.0, "p99": 5.0}


def test_a_hole_and_a_repetition_are_seen():
    result = account(record(0), record(3), record(3), record(4))
    assert (result.frames, result.lost, result.doubled) == (3, 2, 1)


def test_an_old_epoch_and_what_follows_the_end_do_not_count():
    result = account(
        record(0), record(0, epoch=2), record(1), record(1, epoch=2, kind=RecordKind.END), record(2, epoch=2)
    )
    assert (result.frames, result.lost, result.doubled, result.ignored, result.ended) == (2, 0, 0, 2, True)
