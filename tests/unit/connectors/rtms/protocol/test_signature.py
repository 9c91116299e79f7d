"""Zoom's two signatures, against the vectors of its own library and of the documents."""

from connectors.rtms.protocol import signature

BODY = (
    b'{"event":"meeting.rtms_started","event_ts":1700000000000,"payload":{"meeting_uuid":"meetAAA==",'
    b'"operator_id":"op1","rtms_stream_id":"stream0001","server_urls":"wss://127.0.0.1:443"}}'
)
BODY_SIGNATURE = "v0=1c597ffb900fe978384bd94bc8bed55902e8cbf8a7031ff184a7a1ea40d222a0"
HANDSHAKE = "a0738c6255b66e10d2f33177841ad6a8129e9b34104d2065f0d8bd72c6bff7c7"


def test_the_handshake_vector() -> None:
    assert signature.handshake_signature("cid", "csecret", "meetAAA==", "stream0001") == HANDSHAKE
    assert signature.verify_handshake(HANDSHAKE, "cid", "csecret", "meetAAA==", "stream0001")


def test_a_wrong_handshake_signature_is_refused() -> None:
    for wrong in ("", HANDSHAKE.upper(), HANDSHAKE[:-1] + "8", "ü", "\ud800"):
        assert not signature.verify_handshake(wrong, "cid", "csecret", "meetAAA==", "stream0001")
    assert not signature.verify_handshake(HANDSHAKE, "cid", "other", "meetAAA==", "stream0001")


def test_the_webhook_vector() -> None:
    assert len(BODY) == 182
    assert signature.webhook_signature("whsecret", "1700000001", BODY) == BODY_SIGNATURE
    assert signature.verify_webhook("whsecret", "1700000001", BODY, BODY_SIGNATURE, 1_700_000_200.0)


def test_a_webhook_that_is_old_from_the_future_or_changed_is_refused() -> None:
    def verified(now_s: float, body: bytes = BODY, stamp: str = "1700000001", sign: str = BODY_SIGNATURE) -> bool:
        return signature.verify_webhook("whsecret", stamp, body, sign, now_s)

    assert verified(1_700_000_301.0)
    assert not verified(1_700_000_302.0)
    assert not verified(1_699_999_700.0)
    assert not verified(1_700_000_001.0, body=BODY + b" ")
    assert not verified(1_700_000_001.0, sign="")
    assert not verified(1_700_000_001.0, sign="v0=\ud800")
    for stamp in ("", "-1", "1.7e9", "١٢٣", "9" * 13, "abc"):
        assert not verified(1_700_000_001.0, stamp=stamp)


def test_the_url_validation_vector() -> None:
    assert signature.url_validation_answer("whsecret", "plain-token-1") == {
        "plainToken": "plain-token-1",
        "encryptedToken": "813ef537042574e21d0481a851e0a09447bacba83eb6020797436900e4adae01",
    }
