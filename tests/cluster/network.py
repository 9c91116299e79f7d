"""The addresses of the cluster, and the network namespace that they are in."""

from __future__ import annotations

import subprocess
from pathlib import Path

BRIDGE = "rtms0"
HOST = "10.244.0.1"
"""The machine as pods see it; what is outside of the cluster is there."""
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/16"


def prepare() -> None:
    """Bring up the loopback interface and the pods' bridge, and hide the machine's own state folders."""
    for path in ("/run", "/var/lib", "/var/log"):
        run("mount", "-t", "tmpfs", "tmpfs", path)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "addr", "add", f"{HOST}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    run("ip", "route", "add", "default", "dev", BRIDGE)
    for name in ("net/ipv4/ip_forward", f"net/ipv4/conf/{BRIDGE}/route_localnet"):
        Path("/proc/sys", name).write_text("1")


def show(port: int) -> str:
    """Let pods reach what listens on a loopback port; its address for them."""
    target = ("-p", "tcp", "-d", HOST, "--dport", str(port), "-j", "DNAT", "--to-destination", f"127.0.0.1:{port}")
    run("iptables", "-t", "nat", "-A", "PREROUTING", *target)
    run("iptables", "-t", "nat", "-A", "OUTPUT", *target)
    return f"{HOST}:{port}"


def run(*command: str) -> None:
    """Raises CalledProcessError."""
    subprocess.run(command, check=True, capture_output=True, text=True)
