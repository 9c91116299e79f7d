"""`python -m tests.bench.streams.zooms_sdk URL`: Zoom's own SDK as a receiver, alone in its process.

As Zoom's examples have it: one event loop for all clients, callbacks in its thread. They only count, which is in the
SDK's favour. It obeys the lines of `streams.client`: `connect N` and `watch S`.
"""

import argparse
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

import rtms

_JOINING_S = 30.0
_L16_16_KHZ = 16


class Receiver:
    """`frames` counts what all clients together have received."""

    def __init__(self, url: str, send_rate_ms: int) -> None:
        self._url, self._send_rate_ms = url, send_rate_ms
        self._loop = rtms.EventLoop().start()
        self._joined = threading.Semaphore(0)
        self._clients: list[rtms.Client] = []
        self.frames = 0
        self.gone: list[int] = []

    def connect(self, count: int) -> None:
        """Join so many more; returns when all have been confirmed. Raises TimeoutError when they are not."""
        for number in range(len(self._clients), len(self._clients) + count):
            self._clients.append(self._join(f"{self._url}/signalling/{number}", str(number)))
        for _ in range(count):
            if not self._joined.acquire(timeout=_JOINING_S):
                raise TimeoutError("the SDK did not join")

    def _join(self, url: str, stream_id: str) -> rtms.Client:
        client = rtms.Client()
        client.set_audio_params(self._l16())
        client.on_join_confirm(self._confirmed)
        client.on_leave(self.gone.append)
        client.on_audio_data(self._take)
        client.on_video_data(self._take)
        self._loop.add(client)
        client.join(meeting_uuid="bench", rtms_stream_id=stream_id, server_urls=url, client="bench", secret="secret")
        return client

    def _l16(self) -> rtms.AudioParams:
        params = rtms.AudioParams()
        params.codec, params.sample_rate, params.channel = 1, 1, 1
        params.duration, params.frame_size = self._send_rate_ms, _L16_16_KHZ * self._send_rate_ms
        return params

    def _confirmed(self, status: int) -> None:
        if status == rtms.RTMS_SDK_OK:
            self._joined.release()

    def _take(self, _data: bytes, _size: int, _timestamp: int, _metadata: rtms.Metadata) -> None:
        self.frames += 1


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def watch(receiver: Receiver, seconds: float) -> dict[str, object]:
    """What it cost to receive for so long."""
    frames, cpu_s, began = receiver.frames, _cpu_s(), time.monotonic()
    time.sleep(seconds)
    cost = {"cpu_s": _cpu_s() - cpu_s, "wall_s": time.monotonic() - began}
    return {**cost, "frames": receiver.frames - frames, "ended": receiver.gone}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--folder", type=Path, required=True, help="where it may log")
    parser.add_argument("--send-rate", type=int, default=100)
    parser.add_argument("--cores", type=int, nargs="*", default=[], help="run on these alone")
    options = parser.parse_args()
    if options.cores:
        os.sched_setaffinity(0, options.cores)
    (options.folder / "logs").mkdir()  # else it complains of every line that it cannot write there
    os.chdir(options.folder)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the SDK prints
    receiver = Receiver(options.url, options.send_rate)
    for line in sys.stdin:
        verb, argument = line.split()
        if verb == "connect":
            receiver.connect(int(argument))
            answer: dict[str, object] = {"connected": int(argument)}
        else:
            answer = watch(receiver, float(argument))
        print(json.dumps(answer), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    os._exit(main())  # the SDK's threads may abort an interpreter that shuts down under them
