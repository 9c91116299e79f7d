"""What can go wrong between us and Zoom, by whose fault it is.

    LocalError     we called the protocol in a way that makes no sense: a bug of ours
    RemoteError    Zoom said something that the conversation cannot go on from: connect again
    Refused        Zoom said no; `code` is its status; what follows from it is for `retry` to decide
    Unusable       one message makes no sense: it becomes a dead letter and the stream goes on

Facts are attributes; texts are made here and never contain a payload, a name or a secret.
"""

from connectors.rtms.protocol import codes


class LocalError(Exception):
    """The caller broke the contract of the protocol object."""


class RemoteError(Exception):
    """Zoom broke the protocol. `state` is ours at that moment, `fault` a short code of what was wrong."""

    def __init__(self, fault: str, state: str = "", msg_type: int | None = None) -> None:
        super().__init__(fault, state, msg_type)
        self.fault = fault
        self.state = state
        self.msg_type = msg_type

    def __str__(self) -> str:
        about = "" if self.msg_type is None else f" in message {self.msg_type}"
        where = f" while {self.state}" if self.state else ""
        return f"Zoom broke the protocol: {self.fault}{about}{where}"


class Refused(Exception):
    """Zoom answered a handshake with a status other than 0; `reason` is Zoom's own text, which may be empty."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        name = codes.name_of(codes.Status, self.code).upper()
        return f"Zoom refused with status {self.code} {name}" + (f": {self.reason}" if self.reason else "")


class Unusable(ValueError):
    """One message cannot be used, and the conversation goes on without it. `reason` is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
