"""What a worker would be without us: receivers of the shapes that are in use, written from their description.

None of them speaks to a signalling server, checks anything, or has a Kafka behind it; all of that is in their favour.
"""

import asyncio
import base64
import json
import ssl
from pathlib import Path
from typing import BinaryIO

import picows
import websockets

_HELLO = '{"msg_type": 3, "media_params": {}}'
_AUDIO, _VIDEO = 14, 15


class Sample:
    """The shape of Zoom's Python sample: `websockets` strings, the standard JSON and base64, appended to a file."""

    def __init__(self, folder: Path, tls: ssl.SSLContext) -> None:
        self._folder, self._tls = folder, tls
        self.frames = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, url: str, number: int) -> None:
        """Receive from now on."""
        socket = await websockets.connect(url, ssl=self._tls, max_size=None, compression=None, ping_interval=None)
        await socket.send(_HELLO)
        self._tasks.append(asyncio.create_task(self._receive(socket, self._folder / f"{number}.raw")))

    async def _receive(self, socket: websockets.ClientConnection, path: Path) -> None:
        with path.open("ab") as file:
            async for text in socket:
                message = json.loads(text)
                if message["msg_type"] in (_AUDIO, _VIDEO):
                    self.keep(base64.b64decode(message["content"]["data"]), message["msg_type"], file)
                    self.frames += 1

    def keep(self, payload: bytes, kind: int, file: BinaryIO) -> None:
        file.write(payload)


class Incumbent(Sample):
    """The same, and a look at every byte of a picture for what it is made of."""

    def keep(self, payload: bytes, kind: int, file: BinaryIO) -> None:
        if kind == _VIDEO:
            self.is_key_frame(payload)
        file.write(payload)

    @staticmethod
    def is_key_frame(payload: bytes) -> bool:
        """As it is written when nobody has looked at its price: both start codes at every byte."""
        position = 0
        while position < len(payload) - 4:
            if payload[position : position + 4] == b"\0\0\0\1":
                position += 4
            elif payload[position : position + 3] == b"\0\0\1":
                position += 3
            else:
                position += 1
                continue
            if payload[position] & 0x1F == 5:
                return True
        return False


class _Deaf(picows.WSListener):
    def __init__(self, owner: "Ceiling") -> None:
        super().__init__()
        self._owner = owner

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        transport.send(picows.WSMsgType.TEXT, _HELLO.encode())

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        self._owner.frames += 1


class Ceiling:
    """Receives with our library and does nothing: nobody who uses it can be cheaper."""

    def __init__(self, folder: Path, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self.frames = 0

    async def connect(self, url: str, number: int) -> None:
        await picows.ws_connect(lambda: _Deaf(self), url, ssl_context=self._tls, max_frame_size=1 << 25)
