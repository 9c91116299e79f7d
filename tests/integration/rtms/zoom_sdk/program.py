"""`python -m tests.integration.rtms.zoom_sdk.program FOLDER`: Zoom's own SDK, in a process of its own.

It may crash, block or end the process, and must share no library with ours. It tells what happens as lines of JSON on
its standard output and appends the bytes of each medium to a file in FOLDER. It obeys lines of JSON on its standard
input; it ends with that, as a program does that has had enough: nothing is closed.

    {"join": {...}, "audio": {}, ...}    one session; see `Program.join`
    {"serve": {...}, ...}                the same for the stream that Zoom's webhook announces, as Zoom's examples do
    {"watch": USER_ID}  {"unwatch": USER_ID}  {"leave": true}
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from http.server import HTTPServer
from pathlib import Path
from typing import Any, TextIO

import rtms

_POLL_S = 0.002
_SESSION_EVENTS = {
    rtms.SESSION_EVENT_ADD: "add", rtms.SESSION_EVENT_STOP: "stop",
    rtms.SESSION_EVENT_PAUSE: "pause", rtms.SESSION_EVENT_RESUME: "resume",
}  # fmt: skip


class Program:
    """One client, and what it says."""

    def __init__(self, folder: Path, out: TextIO) -> None:
        self._folder, self._out = folder, out
        self._client = rtms.Client()
        self._loop = rtms.EventLoop(poll_interval=_POLL_S)
        self._asyncio = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until the standard input ends. All calls of the SDK are made on this thread, as it demands."""
        self._tell(ready=True)
        running = asyncio.create_task(self._loop.run_async())
        async for line in _lines():
            self._obey(json.loads(line))
        running.cancel()

    def _obey(self, order: dict[str, Any]) -> None:
        if "join" in order:
            self.join(order)
        if "serve" in order:
            self.serve(order)
        if "watch" in order:
            self._client.subscribe_video(order["watch"], True)
        if "unwatch" in order:
            self._client.subscribe_video(order["unwatch"], False)
        if "leave" in order:
            self._tell(leaving=self._client.leave())

    def join(self, order: dict[str, Any]) -> None:
        """Join with what `join` says, as the SDK takes it.

        Media are wanted by name, with parameters or {} for the SDK's own. `users` and `cameras` ask for the callbacks
        that subscribe to events by themselves; `subscribe` lists events to subscribe to once joined.
        """
        self._listen(order)
        self._loop.add(self._client)
        self._client.join(**order["join"])

    def serve(self, order: dict[str, Any]) -> None:
        """Join what webhooks say has started. The SDK's own handler takes them; its server would listen everywhere."""

        def announced(webhook: dict[str, Any]) -> None:
            self._tell(webhook=webhook["event"])
            if webhook["event"].endswith("rtms_started"):
                joining = order | {"join": webhook["payload"] | order["serve"]}
                self._asyncio.call_soon_threadsafe(self.join, joining)

        server = HTTPServer(("127.0.0.1", 0), rtms.WebhookHandler)
        server.webhook_callback, server.webhook_path = announced, "/zoom"  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._tell(serving=f"http://127.0.0.1:{server.server_port}/zoom")

    def _listen(self, order: dict[str, Any]) -> None:
        client = self._client
        client.on_join_confirm(lambda status: self._joined(status, order.get("subscribe")))
        client.on_leave(lambda reason: self._tell(left=reason))
        client.on_session_update(lambda kind, _session: self._tell(session=_SESSION_EVENTS.get(kind, kind)))
        client.on_event_ex(lambda text: self._tell(event=json.loads(text)))
        client.on_video_subscribed(lambda user_id, status, _reason: self._tell(watching=user_id, status=status))
        if order.get("users"):
            client.on_user_update(lambda kind, person: self._tell(user=[kind, person.id, person.name]))
        if order.get("cameras"):
            client.on_participant_video(lambda people, is_on: self._tell(cameras=sorted(people), on=bool(is_on)))
        for medium, params, set_params, listen in (
            ("audio", rtms.AudioParams, client.set_audio_params, client.on_audio_data),
            ("video", rtms.VideoParams, client.set_video_params, client.on_video_data),
            ("share", rtms.DeskshareParams, client.set_deskshare_params, client.on_deskshare_data),
            ("captions", rtms.TranscriptParams, client.set_transcript_params, client.on_transcript_data),
        ):
            if medium in order:
                if order[medium]:
                    set_params(_filled(params(), order[medium]))
                listen(self._keeper(medium))

    def _keeper(self, medium: str) -> Callable[[bytes, int, int, rtms.Metadata], None]:
        file = (self._folder / f"{medium}.bin").open("ab", buffering=0)

        def keep(data: bytes, size: int, timestamp: int, about: rtms.Metadata) -> None:
            assert size == len(data)
            file.write(data)
            self._tell(medium=medium, size=size, timestamp=timestamp, user_id=about.userId, user_name=about.userName,
                       start=about.startTs, end=about.endTs)  # fmt: skip

        return keep

    def _joined(self, status: int, events: list[int] | None) -> None:
        self._tell(joined=status)
        if status == rtms.RTMS_SDK_OK and events:  # not from in here: the SDK would wait for itself
            self._asyncio.call_soon(self._client.subscribe_event, events)

    def _tell(self, **what: Any) -> None:
        self._out.write(json.dumps(what) + "\n")
        self._out.flush()


def _filled(params: Any, values: dict[str, Any]) -> Any:
    for name, value in values.items():
        assert hasattr(params, name), name
        setattr(params, name, value)
    return params


async def _lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line


async def _main(out: TextIO) -> None:
    await Program(Path(sys.argv[1]), out).run()


if __name__ == "__main__":
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the SDK prints goes to standard error
    asyncio.run(_main(told))
    os._exit(0)  # an interpreter that shuts down under the SDK's threads may be aborted
