"""One stop for threads and coroutines."""

import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from connectors.host.signals import StopSignal


async def test_setting_wakes_coroutines_in_any_loop() -> None:
    stop = StopSignal()
    waiting = asyncio.create_task(stop.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    threading.Thread(target=stop.set).start()
    await asyncio.wait_for(waiting, 60)
    assert stop.is_set()


async def test_waiting_after_the_stop_returns_at_once() -> None:
    stop = StopSignal()
    stop.set()
    await asyncio.wait_for(stop.wait(), 60)
    assert stop.wait_thread(0)


def test_a_thread_can_wait_with_a_time_out() -> None:
    assert not StopSignal().wait_thread(0.001)


PROGRAM = """
import asyncio, os, signal, threading
from connectors.host.signals import StopSignal
stop = StopSignal().install()

async def main():
    print("ready", flush=True)
    await stop.wait()

asyncio.run(main())
assert stop.wait_thread(1) and stop.is_set()
os.kill(os.getpid(), signal.SIGINT)  # a second signal changes nothing
print("clean", flush=True)
"""


def test_a_signal_ends_a_waiting_event_loop() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.terminate()
        rest, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert rest.endswith("clean\n")


LATE = """
import os, signal, sys
from connectors.host.signals import StopSignal

class Last:
    # What the interpreter takes away at the very end, its handlers of signals gone.

    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGTERM):
        kill(pid, number)

stop = StopSignal().install()
if sys.argv[1] == "uninstalled":
    stop.uninstall()
sys.last = Last()
sys.exit(7)
"""


@pytest.mark.parametrize(("how", "status"), [("uninstalled", 7), ("left", -signal.SIGTERM)])
def test_a_signal_at_the_very_end_does_not_change_the_exit_status(how: str, status: int) -> None:
    child = subprocess.run([sys.executable, "-c", LATE, how], timeout=60)
    assert child.returncode == status


UNSEEN = """
import asyncio, signal, threading
from connectors.host.signals import StopSignal
stop = StopSignal().install()

async def main():
    loop = asyncio.get_running_loop()
    loop.call_soon(threading.Thread(target=elsewhere, daemon=True).start)
    await stop.wait()

def elsewhere():
    print("ready", flush=True)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

asyncio.run(main())
print("clean", flush=True)
"""


def test_a_signal_that_does_not_wake_the_main_thread_ends_its_loop_all_the_same() -> None:
    """As one does that comes when the loop has looked for signals and is about to wait for events."""
    done = subprocess.run([sys.executable, "-c", UNSEEN], stdout=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "clean")


REPLACED = """
import os, signal
from connectors.host.signals import StopSignal
stop = StopSignal().install()
signal.signal(signal.SIGTERM, lambda *_: None)
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGINT)
assert stop.wait_thread(60)
"""


def test_a_signal_that_somebody_else_has_taken_over_is_theirs() -> None:
    done = subprocess.run([sys.executable, "-c", REPLACED], stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    assert "SIGINT" in done.stdout
    assert "SIGTERM" not in done.stdout
