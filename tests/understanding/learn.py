"""Learns content/likeness.toml from the labelled messages that were looked at: `python -m tests.understanding.learn`.

Softmax regression on the pieces of a message, then again on the facts about it together with the pieces' opinion, by
stochastic gradient descent in a fixed order. No chance: the same messages give the same file. Takes some minutes.
"""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.content.likeness import KINDS, LEVELS, Kind, Likeness
from bot.engine.likeness import chances, opinion
from bot.engine.safety import assess, facts, look, signs
from bot.engine.understand import understand
from tests.understanding import scoring
from tests.understanding.scoring import FRESH, LOOKED_AT, Part
from tests.understanding.words import ROOT, vocabulary

TARGET = ROOT / "content" / "likeness.toml"
ROUNDS = 8
STEP, BIAS_STEP, SHRINK = 6.0, 0.05, 3e-6
STRIDE = 7
"""Messages of one subject stand together in the files: every seventh is taken in turn."""
SEEN_AT_LEAST = 2
KEPT = 24_000
"""Pieces written: the heaviest."""
FACT_ROUNDS, FACT_STEP, FACT_SHRINK, FACT_STRIDE = 30, 0.03, 2e-4, 97
FACT_SEEN_AT_LEAST = 4
FOLDS = 3
DENIED = (
    "尿漏れ",
    "胸の痛み",
    "両足のしびれ",
    "血尿",
    "失禁",
    "発熱",
    "息苦しさ",
    "骨折",
    "足の脱力",
    "がん",
    "妊娠",
    "お股のしびれ",
)
DENIED_EN = (
    "chest pain",
    "numbness in both legs",
    "blood in my urine",
    "fever",
    "weakness in my leg",
    "trouble peeing",
    "weight loss",
)
"""A denial of any of these means nothing."""
SOURCE = "labelled_messages"
SURE, CONFIRMED = (22, 40, 50), (2, 10, 10)
"""Chosen on the fresh messages, each judged by weights learned without it."""


@dataclass(frozen=True)
class Example:
    found: frozenset[str]
    kind: Kind
    facts: frozenset[str] = frozenset()


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


def example(text: str, level: str, mechanism: str) -> Example:
    """What a message is learned from."""
    _, sheet, hits = look(text, vocabulary())
    known = facts(hits, understand(text, vocabulary()), sheet)
    return Example(frozenset(signs(sheet)), kind_of(text, level, mechanism), frozenset(known))


def own_examples() -> list[tuple[str, str, str]]:
    """What the rules and scopes show of themselves: text, level, mechanism."""
    shown = [(text, rule.level.value, "rule") for rule in vocabulary().rules for text in rule.yes]
    shown += [(text, "none", "scope") for scope in vocabulary().scopes for text in scope.clears]
    shown += [
        (scope.frame.format(noun), "none", "denied")
        for scope in vocabulary().scopes
        if scope.frame
        for noun in (DENIED if scope.lang == "ja" else DENIED_EN)
    ]
    shown += [(text, level.value, "scope") for scope in vocabulary().scopes for text, level in scope.turns.items()]
    return shown


def examples(parts: Sequence[Part]) -> list[Example]:
    return [example(row.text, row.level, row.mechanism) for part in parts for row in scoring.rows(part)]


def learn(known: list[Example], fresh: list[Example], kept: int = KEPT) -> Likeness:
    """The pieces are learned from both; how far to trust them and the rules only from `fresh`, which no rule was made by,
    each time by pieces learned without the message: once from some of `fresh` as well, once from `known` alone."""
    rows = []
    for fold in range(FOLDS):
        judge = learn_pieces(known + [it for at, it in enumerate(fresh) if at % FOLDS != fold], kept)
        rows += [(it, chances(it.found, judge)) for at, it in enumerate(fresh) if at % FOLDS == fold]
    strangers = learn_pieces(known, kept) if known else None
    rows += [(it, chances(it.found, strangers)) for it in fresh if strangers]
    weights = _weigh(rows)
    lines = [f"{name}\t{' '.join(str(round(100 * w)) for w in each)}" for name, each in weights.items()]
    return learn_pieces(known + fresh, kept).model_copy(update={"facts": "\n".join(lines)})


def _weigh(given: list[tuple[Example, tuple[float, ...]]]) -> dict[str, list[float]]:
    """The mean of the weights over the latter half of the rounds: the last message must not count for more."""
    counts = Counter(fact for it, _ in given for fact in it.facts)
    names = sorted(fact for fact, count in counts.items() if count >= FACT_SEEN_AT_LEAST) + [f"like:{k}" for k in KINDS]
    weights = {name: [0.0] * len(KINDS) for name in names}
    total = {name: [0.0] * len(KINDS) for name in names}
    rows = [
        ([*((f, 1.0) for f in sorted(it.facts & weights.keys())), *opinion(by_pieces)], KINDS.index(it.kind))
        for it, by_pieces in given
    ]
    order = [i for start in range(FACT_STRIDE) for i in range(start, len(rows), FACT_STRIDE)]
    for turn in range(FACT_ROUNDS * len(rows)):
        found, right = rows[order[turn % len(rows)]]
        scores = [sum(column) for column in zip(*([w * worth for w in weights[f]] for f, worth in found), strict=True)]
        step = FACT_STEP / (1 + turn / (3 * len(rows)))
        slopes = [step * slope for slope in _slopes(scores, right)]
        for name, worth in found:
            mine = weights[name]
            mine[:] = [w - step * FACT_SHRINK * w - worth * slope for w, slope in zip(mine, slopes, strict=True)]
        if turn % len(rows) == len(rows) - 1 and turn >= FACT_ROUNDS * len(rows) // 2:
            for name, mine in weights.items():
                total[name] = [sum_ + w for sum_, w in zip(total[name], mine, strict=True)]
    rounds = FACT_ROUNDS - FACT_ROUNDS // 2
    return {name: [w / rounds for w in each] for name, each in total.items()}


def learn_pieces(given: list[Example], kept: int = KEPT) -> Likeness:
    """The weights that make `given` likely, of the `kept` heaviest pieces."""
    counts = Counter(piece for example in given for piece in example.found)
    known = {piece for piece, count in counts.items() if count >= SEEN_AT_LEAST}
    weights, bias = _descend(given, known)
    heaviest = sorted(known, key=lambda piece: (-max(weights[piece]) + min(weights[piece]), piece))[:kept]
    if len(heaviest) < len(known):
        weights, bias = _descend(given, set(heaviest))
    lines = [f"{piece}\t{' '.join(str(round(100 * w)) for w in weights[piece])}" for piece in sorted(heaviest)]
    return Likeness(
        source=SOURCE, sure=SURE, confirmed=CONFIRMED,
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
    return (
        "# Written by `python -m tests.understanding.learn` from the labelled messages in tests/understanding; never by hand.\n"
        f"# Columns: {' '.join(KINDS)}.\n"
        f'source = "{likeness.source}"\nsure = {list(likeness.sure)}\nconfirmed = {list(likeness.confirmed)}\nbias = [{bias}]\n'
        f"facts = '''\n{likeness.facts}\n'''\npieces = '''\n{likeness.pieces}\n'''\n"
    )


if __name__ == "__main__":
    own = [example(*shown) for shown in own_examples()]
    found = learn(examples([part for part in LOOKED_AT if part != FRESH]) + own, examples([FRESH]))
    TARGET.write_text(written(found), encoding="utf-8")
    sys.stdout.write(f"{len(found.weights)} pieces, {len(found.fact_weights)} facts\n")
