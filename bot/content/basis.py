"""What every model of content rests on."""

from pydantic import BaseModel, ConfigDict

from bot.messages import Locale


class Strict(BaseModel):
    """Frozen, and a misspelt key is an error instead of a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(Strict):
    """One sentence in every language we speak."""

    ja: str
    en: str

    def to(self, locale: Locale) -> str:
        """The sentence in that language."""
        return self.ja if locale == "ja" else self.en
