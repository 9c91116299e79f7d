"""The simulated Zoom: a WebSocket server for any number of meetings at once."""

import asyncio
import itertools
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from connectors.host.logs import get_logger
from connectors.rtms.protocol.codes import CONTACT_CENTER, Medium
from connectors.rtms.simulator.channel import Channel
from connectors.rtms.simulator.faults import FaultKind, Faults
from connectors.rtms.simulator.identity import Identity
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.reception import Reception
from connectors.rtms.simulator.recording import RecordedMeeting
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Credentials, Rules
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.webhooks import Shape, Webhooks
from connectors.rtms.simulator.zoomclock import ZoomClock

log = get_logger(__name__)

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound to it here, it is only recognised
_UPGRADE_S = 5.0
_CLOSE_S = 2.0
_SUBPROTOCOL = Subprotocol("websocket")
"""Zoom's own library offers it and is content with or without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where it listens and what it is like; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    public_host: str | None = None
    tls: ssl.SSLContext | None = None
    rules: Rules = Rules()
    credentials: Credentials = field(default_factory=Credentials)
    webhook_url: str | None = None
    webhook_shape: Shape = Shape.FLAT
    cache: Path | None = None


class Simulator:
    """Use it as an async context manager; `url` is where it listens, `start` begins a meeting."""

    def __init__(self, options: ServerOptions | None = None, clock: ZoomClock | None = None) -> None:
        self.options = options or ServerOptions()
        self.clock = clock or ZoomClock()
        self.streams: dict[str, Stream] = {}
        self._numbers = itertools.count(1)
        self._server: WebSocketServer | None = None
        self._runs: set[asyncio.Task[None]] = set()
        secret = self.options.credentials.webhook_secret
        self.webhooks = Webhooks(self.options.webhook_url, secret, self.options.webhook_shape, self.clock)

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._connected,
            self.options.host,
            self.options.port,
            ssl=self.options.tls,
            select_subprotocol=lambda _connection, offered: _SUBPROTOCOL if _SUBPROTOCOL in offered else None,
            compression=None,
            open_timeout=_UPGRADE_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,
        )
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for run in list(self._runs):
            run.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self.webhooks.close()

    @property
    def url(self) -> str:
        """The address for `server_urls`, without a path."""
        assert self._server is not None, "the simulator is not running"
        port = next(iter(self._server.sockets)).getsockname()[1]
        scheme = "ws" if self.options.tls is None else "wss"
        host = self.options.public_host or ("127.0.0.1" if self.options.host == _EVERYWHERE else self.options.host)
        return f"{scheme}://{host}:{port}"

    async def start(self, request: MeetingRequest) -> Stream:
        """Begin a meeting now (its pictures are made first if they never were).

        Raises:
            ValueError: the meeting is too short, or a stream of that id runs; one that is over may begin anew.
        """
        faults = Faults(request.faults)
        rules = replace(self.options.rules, **request.rules)
        product, clock = request.product, self.clock
        meeting: Meeting
        if request.recording is not None:
            recorded = await asyncio.to_thread(RecordedMeeting.open_file, request.recording)
            meeting, product, clock = recorded, recorded.index.product, self.clock.beginning(recorded.start_ms)
            rules = replace(rules, offered=recorded.offered)
        else:
            meeting = Meeting.of(request, self.options.cache)
            await asyncio.to_thread(meeting.prepare, mid_group=faults.has(FaultKind.SWITCH_MID_GROUP))
            meeting = replace(meeting, start_ms=self.clock.now_ms() - faults.late_by_ms())
        origin = f"{meeting.start_ms}:{next(self._numbers)}:{request.seed}"
        identity = Identity.derive(origin, request.meeting_uuid, request.stream_id, product)
        running = self.streams.get(identity.stream_id)
        if running is not None and not running.is_over:
            raise ValueError(f"there is a stream {identity.stream_id} already")
        if product == CONTACT_CENTER:
            rules = replace(rules, offered=rules.offered & {Medium.AUDIO, Medium.CAPTIONS})
        shape = request.webhook_shape or self.options.webhook_shape
        stream = Stream(meeting, identity, rules, faults, clock, self.webhooks, shape)
        self.streams[identity.stream_id] = stream
        run = asyncio.create_task(self._run(stream, request))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        log.info("stream started", stream_id=identity.stream_id, seconds=meeting.script.length_ms // 1000)
        return stream

    async def _run(self, stream: Stream, request: MeetingRequest) -> None:
        await stream.run(self.url)
        after_s = stream.faults.starts_again_after_s(stream.stop_reason)
        if after_s is None:
            stream.following.set_result(None)
            return
        await self.clock.until(self.clock.now_ms() + 1000 * after_s)
        others = [fault for fault in request.faults if fault.kind is not FaultKind.STOP]
        names = stream.identity
        again = replace(request, faults=others, stream_id=names.stream_id, meeting_uuid=names.meeting_uuid)
        stream.following.set_result(await self.start(again))

    def signalling_url(self, stream: Stream) -> str:
        """What a webhook gives as `server_urls`."""
        return self.url + stream.signalling_path

    async def _connected(self, connection: ServerConnection) -> None:
        reception = Reception(self.streams, self.options.credentials, f"{self.url}/media")
        await reception.receive(Channel(connection, self.clock, self.options.rules.framing), self.options.rules)
