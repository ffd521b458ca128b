"""Learns content/likeness.toml from the labelled messages that were looked at: `python -m tests.understanding.learn`.

Softmax regression on the pieces of a message, by stochastic gradient descent in a fixed order. No chance: the same messages
give the same file.
"""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.engine.likeness import pieces, spoken
from bot.engine.normal import read
from bot.engine.safety import assess
from bot.engine.scope import Sheet
from bot.engine.spelling import respell
from tests.understanding import scoring
from tests.understanding.scoring import LOOKED_AT, Part
from tests.understanding.words import ROOT, vocabulary

TARGET = ROOT / "content" / "likeness.toml"
ROUNDS = 8
STEP, BIAS_STEP, SHRINK = 6.0, 0.05, 3e-6
STRIDE = 7
"""Messages of one subject stand together in the files: every seventh is taken in turn."""
SEEN_AT_LEAST = 2
KEPT = 16_000
"""Pieces written: the heaviest."""
SOURCE = "labelled_messages"
SURE_EMERGENCY, SURE_URGENT, SURE_DOCTOR, SURE_IN_DOUBT = 60, 70, 80, 90
HINT = 5


@dataclass(frozen=True)
class Example:
    found: frozenset[str]
    kind: Kind


def kind_of(text: str, level: str, mechanism: str) -> Kind:
    """The card that asks for what is labelled `level`: the rules' own, else the level's likeliest."""
    if level in ("none", "no_massage"):
        return "none"
    found = assess(text, vocabulary())
    if level == "emergency" and (found.mental_health or mechanism.startswith(("mental", "suicid"))):
        return "mental"
    if found.card is not None and found.level is not None and found.level.value == level:
        for kind in KINDS:
            if kind == found.card and LEVELS.get(kind[0]) is found.level:
                return kind
    return {"emergency": "e1", "urgent": "u1"}.get(level, "d2")  # type: ignore[return-value]


def read_pieces(text: str) -> frozenset[str]:
    folded = Sheet(respell(read(text), vocabulary()).text, vocabulary()).text
    return frozenset(pieces(folded, spoken(vocabulary().in_kana(folded))))


def own_examples() -> list[tuple[str, str, str]]:
    """What the rules and scopes show of themselves: text, level, mechanism."""
    shown = [(text, rule.level.value, "rule") for rule in vocabulary().rules for text in rule.yes]
    shown += [(text, "none", "scope") for scope in vocabulary().scopes for text in scope.clears]
    shown += [(text, level.value, "scope") for scope in vocabulary().scopes for text, level in scope.turns.items()]
    return shown


def examples(parts: Sequence[Part] = LOOKED_AT) -> list[Example]:
    labelled = [(row.text, row.level, row.mechanism) for part in parts for row in scoring.rows(part)]
    labelled += own_examples()
    return [Example(read_pieces(text), kind_of(text, level, mechanism)) for text, level, mechanism in labelled]


def learn(given: list[Example], kept: int = KEPT) -> Likeness:
    """The weights that make `given` likely, of the `kept` heaviest pieces."""
    counts = Counter(piece for example in given for piece in example.found)
    known = {piece for piece, count in counts.items() if count >= SEEN_AT_LEAST}
    weights, bias = _descend(given, known)
    heaviest = sorted(known, key=lambda piece: (-max(weights[piece]) + min(weights[piece]), piece))[:kept]
    if len(heaviest) < len(known):
        weights, bias = _descend(given, set(heaviest))
    lines = [f"{piece}\t{' '.join(str(round(100 * w)) for w in weights[piece])}" for piece in sorted(heaviest)]
    return Likeness(
        source=SOURCE, sure_emergency=SURE_EMERGENCY, sure_urgent=SURE_URGENT, sure_doctor=SURE_DOCTOR,
        sure_in_doubt=SURE_IN_DOUBT, hint=HINT,
        bias=tuple(round(100 * w) for w in bias), pieces="\n".join(lines),
    )  # fmt: skip


def _descend(given: list[Example], known: set[str]) -> tuple[dict[str, list[float]], list[float]]:
    """Weights are kept divided by `shrunk`, so that shrinking them all is one multiplication."""
    weights = {piece: [0.0] * len(KINDS) for piece in sorted(known)}
    bias = [0.0] * len(KINDS)
    rows = [([weights[p] for p in sorted(e.found & known)], KINDS.index(e.kind)) for e in given]
    order = [i for start in range(STRIDE) for i in range(start, len(rows), STRIDE)]
    shrunk = 1.0
    for turn in range(ROUNDS * len(rows)):
        found, right = rows[order[turn % len(rows)]]
        if not found:
            continue
        scale = 1 / math.sqrt(len(found))
        sums = [sum(column) for column in zip(*found, strict=True)]
        slopes = _slopes([b + total * scale * shrunk for b, total in zip(bias, sums, strict=True)], right)
        step = STEP / (1 + turn / (2 * len(rows)))
        shrunk *= 1 - step * SHRINK
        bias = [b - BIAS_STEP * step * slope for b, slope in zip(bias, slopes, strict=True)]
        pulls = [step * scale / shrunk * slope for slope in slopes]
        for mine in found:
            mine[:] = [weight - pull for weight, pull in zip(mine, pulls, strict=True)]
    return {piece: [w * shrunk for w in each] for piece, each in weights.items()}, bias


def _slopes(scores: list[float], right: int) -> list[float]:
    """How much too likely each kind is."""
    raised = [math.exp(score - max(scores)) for score in scores]
    return [value / sum(raised) - (place == right) for place, value in enumerate(raised)]


def written(likeness: Likeness) -> str:
    bias = ", ".join(map(str, likeness.bias))
    sure = "".join(
        f"{name} = {getattr(likeness, name)}\n" for name in Likeness.model_fields if name.startswith("sure_")
    )
    return (
        "# Written by `python -m tests.understanding.learn` from the labelled messages in tests/understanding; never by hand.\n"
        f"# Columns: {' '.join(KINDS)}.\n"
        f"source = \"{likeness.source}\"\n{sure}bias = [{bias}]\npieces = '''\n{likeness.pieces}\n'''\n"
    )


if __name__ == "__main__":
    found = learn(examples())
    TARGET.write_text(written(found), encoding="utf-8")
    sys.stdout.write(f"{len(found.weights)} pieces\n")
