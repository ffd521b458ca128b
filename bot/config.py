"""What the operator sets, read once from the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SendGate = Literal["off", "test", "on"]

NOTHING = SecretStr("")

TRY_IT = "selfcare.try_it"
"""Under this name the demo says in the WSGI environment where its phone is. No request can: headers go by HTTP_..."""


def _slashless(value: object) -> object:
    return value.strip().rstrip("/") if isinstance(value, str) else value


def _psycopg(value: object) -> object:
    """`postgres://` and `postgresql://` mean the one PostgreSQL driver that is installed."""
    if isinstance(value, str):
        for scheme in ("postgres://", "postgresql://"):
            if value.startswith(scheme):
                return "postgresql+psycopg://" + value.removeprefix(scheme)
        if not value.startswith(("sqlite://", "postgresql+psycopg://")):
            raise ValueError("it must begin with sqlite:/// or postgresql://")
    return value


Address = Annotated[str, BeforeValidator(_slashless)]


class Settings(BaseSettings):
    """Empty means not set. A channel exists when its secret and its token are both set. `retention_body_days` counts
    from a message's arrival, `retention_contact_months` from the last thing the patient did."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: Annotated[str, BeforeValidator(_psycopg)] = "sqlite:///var/selfcare.db"
    secret_key: SecretStr = NOTHING
    public_url: Address = ""
    line_channel_secret: SecretStr = NOTHING
    line_channel_access_token: SecretStr = NOTHING
    line_api_url: Address = "https://api.line.me"
    line_data_api_url: Address = "https://api-data.line.me"
    slack_signing_secret: SecretStr = NOTHING
    slack_bot_token: SecretStr = NOTHING
    slack_api_url: Address = "https://slack.com/api"
    slack_staff_channel: str = ""
    slack_client_id: str = ""
    slack_client_secret: SecretStr = NOTHING
    content_dir: Path = Path("content")
    send_gate: SendGate = "on"
    retention_body_days: int = Field(default=90, ge=1)
    retention_contact_months: int = Field(default=24, ge=1)

    @property
    def line_channel_secrets(self) -> tuple[str, ...]:
        """Two while a secret is being rotated."""
        return _split(self.line_channel_secret)

    @property
    def slack_signing_secrets(self) -> tuple[str, ...]:
        """Two while a secret is being rotated."""
        return _split(self.slack_signing_secret)

    @property
    def has_line(self) -> bool:
        """Whether LINE patients can be served."""
        return bool(self.line_channel_secrets and self.line_channel_access_token.get_secret_value())

    @property
    def has_slack(self) -> bool:
        """Whether Slack patients can be served."""
        return bool(self.slack_signing_secrets and (self.slack_bot_token.get_secret_value() or self.slack_many))

    @property
    def slack_many(self) -> bool:
        """Whether workspaces can install the app by themselves."""
        return bool(self.slack_client_id and self.slack_client_secret.get_secret_value())

    @property
    def half_set(self) -> tuple[str, ...]:
        """Settings that are missing although their channel's other half is there."""
        pairs = (
            (
                "LINE_CHANNEL_SECRET",
                self.line_channel_secret,
                "LINE_CHANNEL_ACCESS_TOKEN",
                self.line_channel_access_token,
            ),
            (
                "SLACK_SIGNING_SECRET",
                self.slack_signing_secret,
                "SLACK_BOT_TOKEN",
                self.slack_client_secret if self.slack_many else self.slack_bot_token,
            ),
            ("SLACK_CLIENT_ID", SecretStr(self.slack_client_id), "SLACK_CLIENT_SECRET", self.slack_client_secret),
        )
        missing: list[str] = []
        for first, one, second, other in pairs:
            if bool(one.get_secret_value()) != bool(other.get_secret_value()):
                missing.append(second if one.get_secret_value() else first)
        return tuple(missing)


def _split(secret: SecretStr) -> tuple[str, ...]:
    return tuple(part.strip() for part in secret.get_secret_value().split(",") if part.strip())
