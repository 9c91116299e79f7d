"""Other products, TLS and webhooks, as Zoom's own SDK knows them."""

import asyncio
import datetime
from pathlib import Path

import pytest

from connectors.rtms.protocol.codes import CONTACT_CENTER, VIDEO_SDK, WEBINAR, Medium
from connectors.rtms.simulator.certificates import make_certificate, server_context
from connectors.rtms.simulator.rules import Rules
from tests.integration.rtms.conftest import Simulate
from tests.integration.rtms.zoom_sdk.conftest import StartSdk, app, played_again, scene, sent

SPEED = 4.0
NOT_TRUSTED = 610
TALK = {"audio": {}, "captions": {}}


@played_again
async def test_other_products(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """The SDK takes the product's id under its own name and calls it `meeting_uuid` on the wire."""
    simulator = await simulate(speed=SPEED)

    async def play(product: str) -> None:
        sdk = await zooms_sdk()
        await sdk.join(simulator, stream := await simulator.start(scene(product=product)), users=True, **TALK)
        await sdk.play_out(stream)
        assert sdk.frames("audio"), product
        assert [name for _, _, name in sdk.of("user")] == ["Ada", "Jun"], product
        assert stream.truth.complaints == [], product

    await asyncio.gather(*map(play, (WEBINAR, VIDEO_SDK)))


@played_again
async def test_a_contact_center_call(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """Channels have no user ids; names come with the audio."""
    sdk = await zooms_sdk()
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(scene(product=CONTACT_CENTER))
    await sdk.join(simulator, stream, subscribe=[8, 9, 10, 11], **TALK)
    await sdk.until(lambda sdk: sdk.events(11))
    await sdk.until(lambda sdk: len(sdk.of("medium")) >= sum(map(len, sent(stream).values())))
    for medium, frames in sdk.received().items():
        assert [(f.timestamp_ms, f.crc32) for f in frames] == [(f.timestamp_ms, f.crc32) for f in sent(stream)[medium]]
    assert {(line["user_id"], line["user_name"]) for line in sdk.about("audio")} == {(0, "Ada"), (0, "Jun")}
    assert sorted(event["event_type"] for event in sdk.of("event")) == [8, 10, 11]
    assert stream.truth.complaints == []


@played_again
async def test_media_that_the_app_may_not_have_are_passed_over(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    sdk = await zooms_sdk()
    simulator = await simulate(speed=SPEED, rules=Rules(offered=frozenset({Medium.AUDIO})))
    await sdk.join(simulator, stream := await simulator.start(scene()), video={}, **TALK)
    await sdk.play_out(stream)
    assert {line["medium"] for line in sdk.said if "medium" in line} == {"audio"}
    assert [story.media for story in stream.truth.connections] == [[], ["audio"]]
    assert stream.truth.complaints == []


@pytest.mark.parametrize("public_host", ["localhost", None])
@played_again
async def test_tls(simulate: Simulate, zooms_sdk: StartSdk, tmp_path: Path, public_host: str | None) -> None:
    certificate, key = make_certificate(tmp_path, datetime.datetime.now(datetime.UTC))
    simulator = await simulate(speed=SPEED, tls=server_context(certificate, key), public_host=public_host)
    sdk = await zooms_sdk(ZM_RTMS_CA=str(certificate))
    suspicious = await zooms_sdk()
    await sdk.join(simulator, stream := await simulator.start(scene()), **TALK)
    await suspicious.join(simulator, await simulator.start(scene()), **TALK)
    assert await suspicious.joined() == NOT_TRUSTED
    await sdk.play_out(stream)


@played_again
async def test_a_webhook_is_all_it_takes(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """As in Zoom's examples, which hand the webhook's payload to `join`."""
    sdk = await zooms_sdk()
    await sdk.order(serve=app(), **TALK)
    await sdk.until(lambda sdk: sdk.of("serving"))
    simulator = await simulate(speed=SPEED, webhook_url=sdk.of("serving")[0])
    stream = await simulator.start(scene())
    await sdk.play_out(stream)
    await sdk.until(lambda sdk: sdk.of("webhook")[1:])
    assert sdk.of("webhook") == ["meeting.rtms_started", "meeting.rtms_stopped"]
