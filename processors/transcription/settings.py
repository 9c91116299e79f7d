"""What an operator may set about transcription, read from `RTMS_TRANSCRIPTION_*`.

Nothing here changes which utterances there are or what they say, only how fast and how stubbornly they are made.
"""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.speech import deepgram, openai


class TranscriptionSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RTMS_TRANSCRIPTION_")

    workers: int = Field(default=1, ge=1, description="recogniser processes; each uses one core and about 200 MB")
    partial_workers: int = Field(
        default=1,
        ge=0,
        description="as many more, at low priority, for partials; 0: who asks them for partials gets none",
    )
    attempt_limit_s: int = Field(default=60, ge=1, description="one attempt at an utterance that takes longer is ended")
    silence_limit_s: float = Field(
        default=60.0, gt=0, description="a process that says nothing for this much longer, its start included, is ended"
    )
    retry_budget_s: float = Field(default=300.0, gt=0, description="after this an utterance is written as failed")
    retry_delay_s: float = Field(default=0.5, gt=0, description="before the second attempt; doubles, up to 30 s")
    fallback_after_s: float = Field(
        default=30.0, gt=0, description="at the latest, an utterance goes on to the session's next engine after this"
    )
    remote_limit_s: float = Field(default=30.0, gt=0, description="one attempt at a speech service takes no longer")
    remote_in_flight: int = Field(default=8, ge=1, description="requests at a time to each speech service, per key")
    remote_waiting: int = Field(
        default=128, ge=0, description="utterances that may wait for speech services; then nothing more is read"
    )
    dictations: int = Field(
        default=32, ge=0,
        description="utterances that Deepgram hears at a time while they are spoken, for partials, a connection each;"
        " 0: who asks it for partials gets none",
    )  # fmt: skip
    dictations_per_project: int = Field(default=16, ge=1, description="as many of them may be one project's")
    dictation_limit_s: float = Field(
        default=1.5, gt=0,
        description="for it to tell the rest when such an utterance is over; then it is asked for all of it anew",
    )  # fmt: skip
    afterwards_sessions: int = Field(
        default=2, ge=1, description="side transcripts of stored sound that are made at a time, beside the meetings"
    )
    afterwards_in_flight: int = Field(
        default=2, ge=1, description="utterances of each of them that are asked for at a time"
    )
    openai_base_url: str = Field(
        default=openai.PUBLIC_URL, description="OpenAI, or any server with its API; up to and with its version"
    )
    openai_api_key: SecretStr = Field(
        default=SecretStr(""),
        description="for projects without a key of their own; a server of one's own may do without",
    )
    deepgram_base_url: str = Field(default=deepgram.PUBLIC_URL, description="Deepgram, or one hosted by oneself")
    deepgram_api_key: SecretStr = Field(default=SecretStr(""), description="for projects without a key of their own")

    @field_validator("openai_api_key", "deepgram_api_key")
    @classmethod
    def _without_line_ends(cls, key: SecretStr) -> SecretStr:
        """Files that hold a key end with one, and no header may."""
        return SecretStr(key.get_secret_value().strip())
