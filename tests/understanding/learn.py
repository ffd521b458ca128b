"""Learns content/likeness and content/requests (.toml and .npy) from the labelled messages that were looked at:
`python -m tests.understanding.learn`. Takes a quarter of an hour.
"""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
from pydantic import BaseModel, ConfigDict

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.content.network import Network
from bot.content.requests import ASKED, Requests
from bot.engine.normal import normalise
from bot.engine.safety import assess, look, signs
from bot.engine.understand import named_intents, request_of, signs_of_request
from bot.messages import Disposition
from tests.understanding import scoring
from tests.understanding.network import Example, learned
from tests.understanding.scoring import LEARNED_FROM, TALK, Part
from tests.understanding.words import ROOT, vocabulary

CONTENT = ROOT / "content"
SHOWN_TIMES = 5
"""As many messages each example of a rule or a scope is worth: somebody chose it."""
PLAIN_TIMES = 3
"""As many messages each plain denial is worth: hardly any author takes the trouble to write one."""
SOURCE = "labelled_messages"
SURE, CONFIRMED, LEAST_CHANCE = (60, 50, 50), (25, 30, 20), (2, 5, 5)
"""Chosen by totals of the messages kept apart; see the README here."""


class Said(BaseModel):
    """Ways of asking for a reminder (`frames` with `d`ays and `t`imes), signs that are denied (the nouns in the frames of
    scopes, the verbs with their endings), and what is said plainly when all is well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    denied: tuple[str, ...]
    verbs: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    plain: tuple[str, ...]
    times: tuple[str, ...]
    days: tuple[str, ...]
    frames: tuple[str, ...]


class Daily(BaseModel):
    """daily.toml: what is said every day and means nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reports: tuple[str, ...]
    pains: tuple[str, ...]
    ja: Said
    en: Said


def kind_of(text: str, level: str, mechanism: str) -> Kind:
    """The card that asks for what is labelled `level`: the rules' own, else the level's likeliest."""
    if level in ("none", "no_massage"):
        return "none"
    found = assess(text, vocabulary())
    if level == "emergency" and (found.mental_health or mechanism.startswith(("mental", "suicid"))):
        return "mental"
    for kind in KINDS:
        if kind == found.card and LEVELS.get(kind[0]) is found.level is Disposition(level):
            return kind
    return {"emergency": "e1", "urgent": "u1"}.get(level, "d2")  # type: ignore[return-value]


def example(text: str, level: str, mechanism: str) -> Example:
    """What a message is learned from."""
    _, sheet, hits = look(text, vocabulary())
    return Example(signs(text, sheet, hits), kind_of(text, level, mechanism))


def own_examples() -> list[tuple[str, str, str]]:
    """What the rules and scopes show of themselves: text, level, mechanism."""
    shown = [(text, rule.level.value, "rule") for rule in vocabulary().rules for text in rule.yes]
    shown += [(text, "none", "scope") for scope in vocabulary().scopes for text in scope.clears]
    daily = Daily.model_validate(tomllib.loads(Path(__file__).with_name("daily.toml").read_text(encoding="utf-8")))
    shown += [
        (scope.frame.format(noun), "none", "denied")
        for scope in vocabulary().scopes
        if scope.frame
        for noun in (daily.ja if scope.lang == "ja" else daily.en).denied
    ]
    shown += [(text, level.value, "scope") for scope in vocabulary().scopes for text, level in scope.turns.items()]
    asked = [text for intent in vocabulary().intents for text in intent.yes]
    shown += [(text, "none", "request") for text in asked if assess(text, vocabulary()).level is None]
    return shown * SHOWN_TIMES + [(" ".join(text.split()), "none", "request") for text in _said(daily)]


def _said(daily: Daily) -> Iterator[str]:
    for it in (daily.ja, daily.en):
        yield from (frame.format(d=day, t=time) for frame in it.frames for day in it.days for time in it.times)
        yield from (verb + ending for verb in it.verbs for ending in it.endings)
        yield from it.plain * PLAIN_TIMES
    yield from daily.reports
    yield from (frame.format(n=pain) for frame in daily.pains for pain in range(11))


def examples(parts: Sequence[Part]) -> list[Example]:
    """A request counts twice: most of what is typed is one."""
    return [
        shown
        for part in parts
        for row in scoring.rows(part)
        for shown in [example(row.text, row.level, row.mechanism)] * (2 if row.kind == "intent" else 1)
    ]


def likeness(given: Sequence[Example], **how: int) -> Likeness:
    """The second vote that makes `given` likely."""
    return Likeness(source=SOURCE, sure=SURE, confirmed=CONFIRMED, least=LEAST_CHANCE, **learned(given, KINDS, **how))


# --- what is asked for ---------------------------------------------------------------------------------------------------

ASKED_IN: tuple[Part, ...] = ("seen", "requests")
REQUEST_SURE, NOTHING_SURE = 30, 95
"""Chosen by the requests kept apart: on 1,174 messages of harmless talk three were taken for a request."""
REQUEST_WIDTH = 16
NOT_ASKED = 4000
"""Harmless messages that ask for nothing, taken at random."""


def request_example(text: str, kind: str) -> Example:
    """What a request is learned from."""
    folded = normalise(text)
    named = named_intents(folded, vocabulary())
    by_pattern, _ = request_of(folded, named)
    return Example(signs_of_request(folded, named, by_pattern, vocabulary()), kind)


def request_examples() -> list[Example]:
    """Requests, and as many messages that ask for nothing: talk, and the words of every button."""
    shown = [(row.text, row.asked) for part in ASKED_IN for row in scoring.rows(part) if row.kind == "intent"] * 2
    shown += [(text, it.id.partition(".")[0]) for it in vocabulary().intents for text in it.yes] * 2
    talk = [
        row.text
        for part in LEARNED_FROM
        for row in scoring.rows(part)
        if row.kind == "safety" and row.level in ("none", "no_massage") and row.mechanism in TALK
    ]
    shown += [(text, "unknown") for text in Random(5).sample(talk, NOT_ASKED)]
    return [request_example(text, kind) for text, kind in shown + [(it, _by_pattern(it)) for it in buttons()]]


def buttons() -> list[str]:
    """The words on every answer of the flows: typed, they are that answer and ask for nothing else."""
    flows = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((CONTENT / "flows").glob("*.toml"))]
    return sorted({text for flow in flows for text in _labels(flow)})


def _labels(found: object) -> Iterator[str]:
    match found:
        case {"label": {"ja": str(ja), "en": str(en)}}:
            yield from (ja, en)
        case dict():
            yield from (text for it in found.values() for text in _labels(it))
        case list():
            yield from (text for it in found for text in _labels(it))
        case _:
            pass


def _by_pattern(text: str) -> str:
    folded = normalise(text)
    return request_of(folded, named_intents(folded, vocabulary()))[0]


def requests(given: Sequence[Example], **how: int) -> Requests:
    """The second opinion that makes `given` likely."""
    return Requests(sure=REQUEST_SURE, nothing=NOTHING_SURE, **learned(given, ASKED, **how))


def written(network: Network) -> str:
    """All but the numbers."""
    told = network.model_dump(exclude={"numbers", "traits"})
    values = "".join(
        f"{name} = {list(it) if isinstance(it, tuple) else repr(it).replace(chr(39), chr(34))}\n"
        for name, it in told.items()
    )
    traits = "".join(f"    {list(row)},\n" for row in network.traits)
    return (
        "# Written by `python -m tests.understanding.learn` from the labelled messages in tests/understanding; never by hand.\n"
        f"{values}# Columns: {' '.join(network.kinds)}.\ntraits = [\n{traits}]\n"
    )


def write(name: str, network: Network) -> None:
    (CONTENT / f"{name}.toml").write_text(written(network), encoding="utf-8")
    np.save(CONTENT / f"{name}.npy", network.numbers)
    sys.stdout.write(f"{name}: {len(network.marks)} signs\n")


if __name__ == "__main__":
    write("requests", requests(request_examples(), width=REQUEST_WIDTH))
    write("likeness", likeness(examples(LEARNED_FROM) + [example(*shown) for shown in own_examples()]))
