"""A broker that each of several clients reaches over a network of its own, so that one of them can be cut off."""

from collections.abc import Iterable
from pathlib import Path

from deploy.local.broker.broker import Broker
from deploy.local.ports import LOOPBACK, free_ports
from tests.support.made_before import runtime
from tests.support.relay import Relay


class RelayedBroker(Broker):
    """The local stack's broker with one more listener for each of `names`; clients are sent to its relay."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        names = list(names)
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.relays = {name: Relay(port) for name, port in self._ports.items()}
        super().__init__(runtime(), folder)

    def prepare(self) -> None:
        super().prepare()
        plain, controller = f"PLAINTEXT://{self.bootstrap}", f"CONTROLLER://{LOOPBACK}:{self._listeners.controller}"
        listeners = ",".join(f"{name.upper()}://{LOOPBACK}:{port}" for name, port in self._ports.items())
        advertised = ",".join(f"{name.upper()}://{LOOPBACK}:{relay.port}" for name, relay in self.relays.items())
        protocols = ",".join(f"{name.upper()}:PLAINTEXT" for name in self._ports)
        settings = {
            "listeners": f"{plain},{listeners},{controller}",
            "advertised.listeners": f"{plain},{advertised}",
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,{protocols}",
        }
        with self._properties.open("a") as file:  # the last of two equal names counts
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def bootstrap_of(self, name: str) -> str:
        """host:port for the client of that name."""
        return f"{LOOPBACK}:{self.relays[name].port}"

    def close(self) -> None:
        """The networks; nobody uses them any more."""
        for relay in self.relays.values():
            relay.close()
