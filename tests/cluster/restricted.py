"""Whether every container is held as the chart asks: seen from inside of it."""

from __future__ import annotations

from tests.cluster.cluster import Cluster

USER = 10001
_NOTHING = "0000000000000000"
_FILTERED = "2"
# Prints `name value` lines: what the kernel holds of this process, and whether the image's files can be written.
_LOOK = """
import os, pathlib
for line in pathlib.Path('/proc/self/status').read_text().splitlines():
    name, _, value = line.partition(':')
    if name in ('CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp', 'Uid', 'Gid'):
        print(name, *value.split())
for folder in ('/', '/app', '/tmp'):
    try:
        pathlib.Path(folder, 'written').write_text('')
        print(folder, 'writable')
    except OSError as refused:
        print(folder, refused.strerror)
print('Token', os.path.exists('/var/run/secrets/kubernetes.io/serviceaccount/token'))
"""
_EXPECTED = {
    "Uid": " ".join([str(USER)] * 4),
    "Gid": " ".join([str(USER)] * 4),
    "CapEff": _NOTHING,
    "CapBnd": _NOTHING,
    "NoNewPrivs": "1",
    "Seccomp": _FILTERED,
    "/": "Read-only file system",
    "/app": "Read-only file system",
    "/tmp": "writable",
    "Token": "False",
}


def check(cluster: Cluster) -> int:
    """How many pods are as they must be. Raises AssertionError."""
    pods = [pod["metadata"]["name"] for pod in cluster.kubectl.pods()]
    for pod in pods:
        printed = cluster.kubectl("exec", pod, "--", "python", "-c", _LOOK)
        found = dict(line.split(" ", 1) for line in printed.splitlines())
        assert found == _EXPECTED, f"{pod}: {found}"
    return len(pods)
