"""nudges.toml: when the assessment is pointed out, to whom, and with which reason."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.content.basis import Strict, Wording

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Told(Strict):
    """The answer of the last screening is one of these."""

    told: Name
    any_of: tuple[str, ...] = Field(min_length=1)


class Ended(Strict):
    """The last screening ended so."""

    outcome: tuple[Literal["no_massage", "self_massage"], ...] = Field(min_length=1)


class Returned(Strict):
    """Pain fell by so many points with a routine and was back within so many days, in so many of the latest sessions."""

    returned_days: int = Field(ge=1, le=14)
    points: int = Field(ge=1, le=10)
    times: int = Field(ge=1, le=10)


class Course(Strict):
    """What programme.toml calls the trend of the pain."""

    trend: Literal["same", "better"]


class Calm(Strict):
    """No pain above this was told for so many days, in so many reports at least."""

    pain_at_most: int = Field(ge=0, le=10)
    days: int = Field(ge=1)
    reports: int = Field(ge=1)


class Asked(Strict):
    """The patient has just asked for it in their own words."""

    asked: Literal["exercise", "prevention"]


Sign = Told | Ended | Returned | Course | Calm | Asked


class NudgeRule(Strict):
    """All signs hold: `text` says why, in what the patient told us."""

    id: Name
    when: tuple[Sign, ...] = Field(min_length=1)
    text: Wording
    source: Name


class Nudges(Strict):
    """nudges.toml. At most one in `every_days`, none before so many `sessions` were finished, none of a rule that was put
    aside for `rest_days`, none for `after_days` from an appointment on."""

    every_days: int = Field(ge=7)
    sessions: int = Field(ge=2)
    rest_days: int = Field(ge=7)
    after_days: int = Field(ge=0)
    title: Wording
    label_open: Wording
    label_dismiss: Wording
    dismissed: Wording
    exercise: Wording
    prevention: Wording
    never: tuple[Told, ...] = ()
    rule: tuple[NudgeRule, ...]
