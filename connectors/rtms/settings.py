"""How this deployment talks to Zoom: which addresses it may reach, over which transport, how patiently."""

import ssl
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.joining import StreamPolicy


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

    allowed_hosts: str = Field(default="*.zoom.us", description="where streams may be, separated by commas")
    allow_plaintext: bool = Field(default=False, description="ws:// as well, for simulators")
    transport: Literal["picows", "websockets"] = Field(default="picows", description="the WebSocket library")
    unified_media: bool = Field(default=True, description="one socket for all media where Zoom offers that")
    probe_silence: bool = Field(
        default=True, description="ping sockets: evidence that silence lost nothing, and of life"
    )
    ca_file: Path | None = Field(default=None, description="authorities (PEM) to trust beside the system's")
    oauth_url: str = Field(
        default="", description="where apps are checked when they are saved, e.g. https://zoom.us; empty: nowhere"
    )
    max_message_bytes: int = Field(
        default=24 * 1024 * 1024, ge=1024 * 1024, description="of a larger message only the start is kept"
    )
    open_timeout_s: float = Field(default=8.0, gt=0, description="for a socket to open")
    close_timeout_s: float = Field(default=1.0, gt=0, description="for a socket to close")
    answer_timeout_s: float = Field(default=10.0, gt=0, description="for Zoom to answer a request")
    watchdog_s: float = Field(
        default=30.0, gt=0, description="of silence, after which a socket is given up that answers no pings"
    )
    capture_folder: Path | None = Field(default=None, description="keep what streams carry in files there, for tests")
    capture_names: bool = Field(default=False, description="keep people's names in captures")

    @field_validator("ca_file")
    @classmethod
    def _readable(cls, file: Path | None) -> Path | None:
        if file is not None and not file.is_file():
            raise ValueError("must be a file that exists")
        return file

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
