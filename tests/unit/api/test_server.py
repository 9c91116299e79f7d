"""How the API's server begins and ends."""

import sys
from subprocess import run

PROGRAM = """
import os, signal
import uvicorn
from api.command import _Server
from connectors.host.health import Health
from connectors.host.signals import StopSignal

async def app(scope, receive, send):
    pass

stop = StopSignal().install()
os.kill(os.getpid(), signal.SIGTERM)
assert stop.wait_thread(60)
config = uvicorn.Config(app, port=0, lifespan="off", log_config=None)
server = _Server(config, Health("api"), stop, lambda: print("parted", flush=True))
server.run()
print(server.started, flush=True)
"""


def test_a_signal_that_came_before_it_listened_for_signals_ends_it() -> None:
    done = run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-2:] == ["parted", "True"]
