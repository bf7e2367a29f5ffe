"""Every setting of the service; nothing else reads the environment."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


def _user_data_dir() -> Path:
    return Path.home() / ".local" / "share" / "skeldir"


class Settings(BaseSettings):
    """The settings, each read once from `SKELDIR_<NAME>` (and `DATABASE_URL` as everybody calls it)."""

    model_config = SettingsConfigDict(env_prefix="SKELDIR_", frozen=True, extra="ignore")

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "SKELDIR_DATABASE_URL"),
        repr=False,
        description="PostgreSQL 15 or later, the API's login. Unset: an embedded server is started.",
    )
    worker_database_url: str | None = Field(
        default=None,
        repr=False,
        description="The workers' login. Unset: DATABASE_URL, assuming app_worker.",
    )
    owner_database_url: str | None = Field(
        default=None,
        repr=False,
        description="A login that may create roles, for migrations. Unset: DATABASE_URL.",
    )
    broker_url: str | None = Field(
        default=None,
        pattern="^amqps?://",
        repr=False,
        description="RabbitMQ, for the workers' traffic. Unset: the queue in PostgreSQL.",
    )
    data_dir: Path = Field(
        default_factory=_user_data_dir,
        description="Where the embedded server and the generated keys live.",
    )
    keys: str | None = Field(
        default=None,
        repr=False,
        description="The key ring as JSON. Unset: made once and kept in the data directory.",
    )
    database_pool_size: int = Field(
        default=10,
        ge=3,  # a worker's job takes the turn, writes, and computes ahead of that
        le=200,
        description="Connections per process, and as many for webhooks alone; also its handler threads.",
    )
    database_prepare_threshold: int = Field(
        default=5,
        ge=0,
        description="Prepare a statement at its n-th use. 0: never, for a pooler in transaction mode.",
    )
    validate_responses: bool = Field(
        default=False, description="Check every response against its contract (tests, staging)."
    )
    body_bytes_max: int = Field(
        default=1_048_576, ge=1_024, description="Larger request bodies are refused with 413."
    )
    request_head_seconds_max: float = Field(
        default=10.0, gt=0, description="A request's head must be there by then, or 408 and the end."
    )
    request_body_seconds_max: float = Field(
        default=60.0, gt=0, description="So must its body; and of an answer something must be taken by then."
    )
    keep_alive_seconds_max: int = Field(
        default=65, ge=0, description="A connection may rest so long between two requests."
    )
    api_requests_per_minute_max: int = Field(
        default=12_000, ge=1, le=6_000_000, description="Per tenant; more are answered with 429."
    )
    webhooks_per_minute_max: int = Field(
        default=120_000,
        ge=1,
        le=6_000_000,
        description="Authentic webhooks per tenant; more get 429, and their vendors deliver them again.",
    )
    exports_max: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Exports a process sends at once, half to one tenant; each has a connection of its own.",
    )
    export_seconds_max: float = Field(
        default=900.0, gt=0, description="An export that takes longer is broken off."
    )
    access_token_seconds: int = Field(default=900, ge=60, le=3_600)
    refresh_token_days: int = Field(default=30, ge=1, le=90)
    login_failures_max: int = Field(
        default=5, ge=1, description="Wrong passwords per login and window before 429."
    )
    login_failures_window_seconds: int = Field(default=900, ge=1)
    lookback_days: int = Field(
        default=30, ge=1, le=90, description="How long before an order a touch still counts."
    )
    attribution_debounce_seconds: int = Field(
        default=2, ge=0, description="A journey rests this long before it is attributed again."
    )
    attribution_delay_seconds_max: int = Field(
        default=30, ge=0, description="However busy a journey is, it waits no longer than this."
    )
    dead_letter_payload_days: int = Field(
        default=90,
        ge=7,
        le=36_500,
        description="How long a dead letter can be replayed; quarantine is exempt.",
    )
    settled_dead_letter_days: int = Field(
        default=30, ge=7, le=36_500, description="How long a dead letter is kept once resolved or abandoned."
    )
    dead_letter_attempt_days: int = Field(
        default=365, ge=7, le=36_500, description="How long it is known who replayed what, after the letter."
    )
    delivery_days: int = Field(
        default=90, ge=7, le=36_500, description="How long deliveries that booked nothing are listed."
    )
    export_manifest_days: int = Field(
        default=365, ge=7, le=36_500, description="How long manifests of exports are kept."
    )
    parked_message_days: int = Field(
        default=90,
        ge=7,
        le=36_500,
        description="How long a parked message waits for somebody to put it back or throw it away.",
    )
    failed_job_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="How long a failed task is kept once it is settled, or unsettled.",
    )
    certificate_authorities: Path | None = Field(
        default=None,
        description="A PEM file: who vouches for PayPal's certificates. Unset: Mozilla's list, from certifi.",
    )
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Where vendors and browsers reach this service; the tokens' issuer.",
    )


class _GivenSettings(Settings):
    """Settings that do not look at this process's environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the signature is pydantic's)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what was given, and nothing else."""
        return (init_settings,)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Build settings from the given variables only; for tests and for child processes."""
    known = {name.lower().removeprefix("skeldir_"): value for name, value in environ.items()}
    fields = {name: known[name] for name in Settings.model_fields if name in known}
    return _GivenSettings.model_validate(fields)


@cache
def get_settings() -> Settings:
    """Return this process's settings, read from its environment once."""
    return Settings()


def adopt(changes: Mapping[str, str]) -> None:
    """Change variables for this process and for those that it starts, before anything was built on them."""
    os.environ.update(changes)
    get_settings.cache_clear()
