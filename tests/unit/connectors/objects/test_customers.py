"""What is asked of a customer's storage is the customer's alone, whatever this process' own environment says."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from httpcore import NetworkStream

from connectors.host.clock import SystemClock
from connectors.objects.customers import CopyFailed, CustomerBucket, Surroundings, Why, _Bounded, _Limit
from connectors.webhooks.targets import PUBLIC
from schemas.credentials import StorageAccess

OPERATORS = {
    "AWS_ACCESS_KEY_ID": "OPERATOR",
    "AWS_SECRET_ACCESS_KEY": "OPERATOR",
    "AWS_SESSION_TOKEN": "OPERATOR",
    "AWS_ENDPOINT": "http://10.0.0.5:9000",
    "AWS_ENDPOINT_URL": "http://10.0.0.5:9000",
    "AWS_ENDPOINT_URL_S3": "http://10.0.0.5:9000",
    "AWS_ALLOW_HTTP": "true",
    "AWS_REGION": "ap-south-1",
    "AWS_BUCKET": "operators",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_S3_EXPRESS": "true",
    "AWS_REQUEST_PAYER": "true",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/operator",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/dev/null",
}


def asked(endpoint: str | None = None, region: str | None = None) -> str:
    access = StorageAccess(
        access_key_id="AKIA1", access_key_secret="s3cret", endpoint_url=endpoint, region_name=region
    )  # fmt: skip
    bucket = CustomerBucket(access, "acme", PUBLIC, Surroundings(SystemClock(), lambda: None))
    return bucket._signed(bucket._signer(), "PUT", "a.mp4")


@pytest.mark.parametrize("variable", ["", *OPERATORS, "all"])
@pytest.mark.parametrize(
    ("endpoint", "region", "where"),
    [
        (None, None, "https://s3.us-east-1.amazonaws.com/acme/a.mp4"),
        (None, "eu-central-1", "https://s3.eu-central-1.amazonaws.com/acme/a.mp4"),
        ("https://s3.example.com:9443", None, "https://s3.example.com:9443/acme/a.mp4"),
    ],
)
def test_nothing_of_the_operators_is_in_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, endpoint: str | None, region: str | None, where: str
) -> None:
    for name, value in OPERATORS.items():
        if variable in (name, "all"):
            monkeypatch.setenv(name, value)
    url = urlsplit(asked(endpoint, region))
    said = {name: value for name, [value] in parse_qs(url.query).items()}
    key, _, signed_for, *_ = said.pop("X-Amz-Credential").split("/")
    assert (f"{url.scheme}://{url.netloc}{url.path}", key, signed_for) == (where, "AKIA1", region or "us-east-1")
    assert said.keys() == {
        "X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
    }  # fmt: skip


def test_where_it_is_sent_is_judged_when_it_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obstore.sign", lambda *_: "http://10.0.0.5:9000/acme/a.mp4")
    with pytest.raises(CopyFailed) as failed:
        asked()
    assert failed.value.why is Why.TARGET_NOT_ALLOWED


def test_a_region_leads_nowhere_else() -> None:
    with pytest.raises(CopyFailed) as failed:
        asked(region="x@10.0.0.5/")
    assert failed.value.why is Why.TARGET_NOT_ALLOWED


class Sink(NetworkStream):
    """Takes all it is given; what."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.taken.append(buffer)


class Over(Exception):
    """It is time to leave off."""


def test_a_piece_can_be_broken_off_within() -> None:
    sink, piece = Sink(), bytes(range(256)) * 4096

    def check() -> None:
        if sum(map(len, sink.taken)) >= 100_000:
            raise Over

    with pytest.raises(Over):
        _Bounded(sink, _Limit(SystemClock(), 60, check)).write(piece, 1)
    assert 100_000 <= sum(map(len, sink.taken)) < 200_000
    whole = Sink()
    _Bounded(whole, _Limit(SystemClock(), 60, lambda: None)).write(piece[:-7], 1)
    assert b"".join(whole.taken) == piece[:-7]
