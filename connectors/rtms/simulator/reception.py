"""Takes in connections: reads the first message, checks the handshake, answers or refuses, hands over.

Signalling and media share one address and any path is accepted: nobody knows how tightly the real servers bind a URL
to a medium. Which stream and which kind of socket it is, the first message says.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.host.logs import get_logger
from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import MessageType, Status
from connectors.rtms.protocol.errors import Refused
from connectors.rtms.protocol.parameters import WIRE_KEYS
from connectors.rtms.simulator.channel import Channel, EndedBy, message_type
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.identity import check_handshake
from connectors.rtms.simulator.media import MediaSocket
from connectors.rtms.simulator.negotiation import Agreement, negotiate
from connectors.rtms.simulator.rules import Credentials, Duplicate, Rules
from connectors.rtms.simulator.signalling import Signalling
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.truth import ConnectionStory

log = get_logger(__name__)

_AT_SIGNALLING = (FaultKind.REFUSE_SIGNALLING, FaultKind.IGNORE_SIGNALLING, FaultKind.CLOSE_SIGNALLING)
_AT_MEDIA = (FaultKind.REFUSE_MEDIA, FaultKind.IGNORE_MEDIA, FaultKind.CLOSE_MEDIA)


class Reception:
    """For one connection; `media_url` is what media addresses start with."""

    def __init__(self, streams: Mapping[str, Stream], credentials: Credentials, media_url: str) -> None:
        self._streams = streams
        self._credentials = credentials
        self._media_url = media_url

    async def receive(self, channel: Channel, rules: Rules) -> None:
        """Serve a connection from its first message to its end."""
        try:
            async with asyncio.timeout(rules.handshake_s):
                message = await channel.hear()
        except TimeoutError:
            message = None
        if message is None:
            await channel.close()
            return
        number = message_type(message)
        try:
            if number == MessageType.SIGNALING_HAND_SHAKE_REQ:
                await self._signalling(channel, message)
            elif number == MessageType.DATA_HAND_SHAKE_REQ:
                await self._media(channel, message)
            else:
                raise Refused(Status.INVALID_MESSAGE_TYPE, "the first message is no handshake")
        except Refused as refusal:
            await self._refuse(channel, number, refusal)

    async def _refuse(self, channel: Channel, number: int, refusal: Refused) -> None:
        log.info("handshake refused", msg_type=number, status=refusal.code, reason=refusal.reason)
        if number == MessageType.DATA_HAND_SHAKE_REQ:
            answer = messages.media_handshake_response(status=refusal.code, reason=refusal.reason)
        else:
            answer = messages.signaling_handshake_response(status=refusal.code, reason=refusal.reason)
        await channel.say(answer)
        await channel.close()

    def _stream_of(self, message: Mapping[str, Any]) -> Stream:
        stream_id = message.get("rtms_stream_id")
        stream = self._streams.get(stream_id) if isinstance(stream_id, str) else None
        if stream is None or stream.is_over:
            raise Refused(Status.INVALID_RTMS_STREAM_ID, "no such stream is running")
        return stream

    async def _signalling(self, channel: Channel, message: Mapping[str, Any]) -> None:
        stream = self._stream_of(message)
        if channel.path in stream.dead_paths:
            channel.cut(EndedBy.FAULT)
            return
        try:
            if await self._misbehave(stream, channel, stream.faults.take(_AT_SIGNALLING, at_s=stream.elapsed_s())):
                return
            check_handshake(message, stream.identity, self._credentials)
            if not isinstance(message.get("buffer_data", True), bool):
                raise Refused(Status.INVALID_PAYLOAD, "buffer_data is true or false")
            if stream.signalling is not None and stream.rules.duplicate is Duplicate.REFUSE:
                raise Refused(Status.DUPLICATE_SIGNAL_REQUEST, "the stream has a signalling connection")
        except Refused as refusal:
            _note_refusal(stream, "signalling", refusal)
            raise
        stream.furnish(channel)
        offers = [*(WIRE_KEYS[medium] for medium in sorted(stream.rules.offered)), "all"]
        urls = {offer: f"{self._media_url}/{stream.identity.stream_id}/{offer}" for offer in offers}
        answer = messages.signaling_handshake_response(server_urls=urls)
        await Signalling(stream, channel, buffer_data=message.get("buffer_data", True)).serve(answer)

    async def _media(self, channel: Channel, message: Mapping[str, Any]) -> None:
        stream = self._stream_of(message)
        try:
            check_handshake(message, stream.identity, self._credentials)
            if stream.signalling is None:
                raise Refused(Status.INVALID_RTMS_STREAM_ID, "the stream has no signalling connection")
            agreement = negotiate(message, stream.rules.offered)
            agreement = replace(agreement, parameters=stream.meeting.agree(agreement.parameters))
            if await self._misbehave(
                stream, channel, stream.faults.take(_AT_MEDIA, agreement.media, at_s=stream.elapsed_s())
            ):
                return
            _check_duplicate(stream, agreement)
        except Refused as refusal:
            _note_refusal(stream, "media", refusal)
            raise
        stream.furnish(channel)
        params = agreement.parameters.to_wire()
        await MediaSocket(stream, channel, agreement).serve(messages.media_handshake_response(media_params=params))

    async def _misbehave(self, stream: Stream, channel: Channel, fault: Fault | None) -> bool:
        """Do what the fault asks instead of answering; True when that was all."""
        if fault is None:
            return False
        log.info("fault", kind=fault.kind.value, stream_id=stream.identity.stream_id)
        if fault.kind in (FaultKind.REFUSE_SIGNALLING, FaultKind.REFUSE_MEDIA):
            raise Refused(fault.status, fault.reason)
        if fault.kind in (FaultKind.IGNORE_SIGNALLING, FaultKind.IGNORE_MEDIA):
            async for _ in channel.messages():
                pass
            return True
        await channel.close()
        return True


def _note_refusal(stream: Stream, kind: str, refusal: Refused) -> None:
    now_ms = stream.clock.now_ms()
    stream.truth.connections.append(ConnectionStory(kind, [], now_ms, status=refusal.code, closed_ms=now_ms))


def _check_duplicate(stream: Stream, agreement: Agreement) -> None:
    """One socket a medium, and none beside one for everything."""
    for socket in stream.media:
        if socket.agreement.whole:
            raise Refused(Status.MEDIA_DATA_ALL_CONNECTION_EXIST, "there is a connection for all media")
        if socket.media & agreement.media:
            raise Refused(Status.DUPLICATE_MEDIA_DATA_CONNECTION, "there is a connection for that medium")
