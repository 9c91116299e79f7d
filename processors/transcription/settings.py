"""What an operator may set about transcription, read from `RTMS_TRANSCRIPTION_*`.

Nothing here changes which utterances there are or what they say, only how fast and how stubbornly they are made.
"""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TranscriptionSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RTMS_TRANSCRIPTION_")

    workers: int = Field(default=1, ge=1, description="recogniser processes; each uses one core and about 200 MB")
    attempt_limit_s: int = Field(default=60, ge=1, description="one attempt at an utterance that takes longer is ended")
    silence_limit_s: float = Field(
        default=60.0, gt=0, description="a process that says nothing for this much longer, its start included, is ended"
    )
    retry_budget_s: float = Field(default=300.0, gt=0, description="after this an utterance is written as failed")
    retry_delay_s: float = Field(default=0.5, gt=0, description="before the second attempt; doubles, up to 30 s")
