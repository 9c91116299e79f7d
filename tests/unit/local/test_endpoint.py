"""A server that waits for requests ends when it is told to."""

import subprocess
import sys

PROGRAM = """
import signal, threading, time
from deploy.local.endpoint import Response, serve
from deploy.local.ports import free_ports

def elsewhere():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=elsewhere, daemon=True).start()
serve(free_ports(1)[0], lambda request: Response(200, b""))
"""


def test_a_signal_that_does_not_interrupt_its_wait_ends_it_all_the_same() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], timeout=60, check=True)
