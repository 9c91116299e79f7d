"""A server of a test's own, in threads of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], port: int = 0, server: type[ThreadingHTTPServer] = ThreadingHTTPServer
) -> Iterator[int]:
    """The port at which `handler` answers on loopback: this one, or any that is free."""
    http = server(("127.0.0.1", port), handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield http.server_port
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
