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


IN_FLIGHT = """
import os, signal, socket, threading, time
from deploy.local import endpoint
from deploy.local.ports import free_ports

(port,) = free_ports(1)
is_finishing, is_told_twice = threading.Event(), threading.Event()
finish = endpoint._Endpoint.finish

def finishing(self):
    is_finishing.set()
    finish(self)
    print("finished", flush=True)

def handle(request):
    os.kill(os.getpid(), signal.SIGINT)
    is_told_twice.wait(60)
    return endpoint.Response(200, b"")

def ask_and_end_again():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # it listens by then
        time.sleep(0.01)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
        is_finishing.wait(60)
        os.kill(os.getpid(), signal.SIGTERM)
        is_told_twice.set()
        client.recv(1000)

endpoint._Endpoint.finish = finishing
threading.Thread(target=ask_and_end_again).start()
endpoint.serve(port, handle)
"""


def test_a_second_signal_does_not_break_off_what_is_being_answered() -> None:
    done = subprocess.run([sys.executable, "-c", IN_FLIGHT], stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    assert done.stdout == "finished\n"
