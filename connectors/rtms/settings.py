"""How this deployment talks to Zoom: which addresses it may reach, over which transport, how patiently."""

import ssl
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.params import StreamPolicy


class ZoomSettings(BaseSettings):
    """`RTMS_ZOOM_*`.

    `allowed_hosts` is the allow-list for `server_urls`, separated by commas; `*.zoom.us` means all names below that
    domain. Simulators on this machine need `127.0.0.1` in it and `allow_plaintext` for `ws://`. TLS certificates are
    always verified; `ca_file` adds authorities to the system's. Of a message larger than `max_message_bytes` only its
    start is kept (the default leaves room for the base64 of the largest record there can be); a single frame of twice
    that closes the socket, which is then opened again.

    `capture_folder` keeps everything that streams carry in files there, for tests with real meetings
    (`transport.capture` says what is in them); names are replaced unless `capture_names`.
    """

    model_config = SettingsConfigDict(env_prefix="RTMS_ZOOM_")

    allowed_hosts: str = "*.zoom.us"
    allow_plaintext: bool = False
    transport: Literal["picows", "websockets"] = "picows"
    unified_media: bool = True
    probe_silence: bool = True
    ca_file: Path | None = None
    max_message_bytes: int = Field(default=24 * 1024 * 1024, ge=1024 * 1024)
    open_timeout_s: float = Field(default=8.0, gt=0)
    close_timeout_s: float = Field(default=1.0, gt=0)
    answer_timeout_s: float = Field(default=10.0, gt=0)
    watchdog_s: float = Field(default=30.0, gt=0)
    capture_folder: Path | None = None
    capture_names: bool = False

    def addresses(self) -> AddressPolicy:
        """Where sockets may go."""
        hosts = tuple(host for host in (part.strip().lower() for part in self.allowed_hosts.split(",")) if host)
        return AddressPolicy(hosts, plaintext=self.allow_plaintext)

    def policy(self, *, buffer_data: bool = True) -> StreamPolicy:
        """How a stream is to behave."""
        return StreamPolicy(
            addresses=self.addresses(),
            unified=self.unified_media,
            probing=self.probe_silence,
            buffer_data=buffer_data,
            answer_ms=round(self.answer_timeout_s * 1000),
            watchdog_ms=round(self.watchdog_s * 1000),
        )

    def tls(self) -> ssl.SSLContext:
        """A verifying client context: TLS 1.2 or newer, the system's authorities and `ca_file`."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context
