"""What the pages of broadcasts show: the message as LINE and Slack get it, numbers with their names, and what is wrong in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from bot.audience import (
    Active,
    Audience,
    Chosen,
    Count,
    Criterion,
    Follows,
    OnChannel,
    Practised,
    Reads,
    Screened,
    Silent,
    Tagged,
)
from bot.broadcasts.letter import Bilingual, Problem
from bot.broadcasts.results import Broadcast, Progress
from bot.channels.line.flex import JsonObject
from bot.channels.line.render import render
from bot.channels.slack.blocks import JsonObject as SlackObject
from bot.channels.slack.render import render as in_slack
from bot.messages import LOCALES, Locale, Message
from bot.runtime import Runtime
from bot.web.console.texts import table
from bot.web.console.visit import me, say

PICTURES = "/media"
"""Where this site itself has the pictures that LINE and Slack fetch."""


def drawn(letter: Bilingual) -> Mapping[Locale, Sequence[JsonObject]]:
    """The message objects exactly as they are sent, in each language; none while there is nothing that could be sent."""
    return {locale: _objects(letter[locale]) for locale in LOCALES}


def _objects(message: Message) -> Sequence[JsonObject]:
    try:
        return render(message, PICTURES)
    except ValueError:
        return []


def blocks(letter: Bilingual) -> Mapping[Locale, Sequence[SlackObject]]:
    """The same for Slack."""
    return {locale: _blocks(letter[locale]) for locale in LOCALES}


def _blocks(message: Message) -> Sequence[SlackObject]:
    try:
        return in_slack(message, PICTURES).blocks
    except ValueError:
        return []


def sentences(problems: Sequence[Problem]) -> list[str]:
    """One for each problem."""
    t = say()
    found = []
    for one in problems:
        where = t("broadcasts.part", n=one.part + 1) if one.part is not None else ""
        language = t(f"broadcasts.in_{one.locale}") if one.locale is not None else ""
        found.append(f"{where}{language}{t(f'broadcasts.flaw_{one.flaw}', words=one.words)}")
    return list(dict.fromkeys(found))


def numbers(counted: Count) -> dict[str, object]:
    """People, with those left out by name."""
    return {
        "recipients": counted.sent_to,
        "everybody": counted.all,
        "left_out": named({bar.value: n for bar, n in counted.barred.items()}),
        "by_channel": [[say()(f"broadcasts.channel_{name}"), n] for name, n in sorted(counted.recipients.items())],
    }


def named(counts: Mapping[str, int], what: str = "bar") -> list[tuple[str, int]]:
    """Reasons in words; a provider's own word stays as it is."""
    known, t = table(), say()
    found = [(f"broadcasts.{what}_{name}", name, n) for name, n in counts.items() if n]
    return [(t(key) if key in known else name, n) for key, name, n in found]


def result(found: Broadcast, progress: Progress) -> dict[str, object]:
    """How far it is."""
    t = say()
    reason = t(f"broadcasts.reason_{found.reason}") if found.reason else ""
    return {
        "status": found.status.value,
        "status_words": t(f"broadcasts.status_{found.status}"),
        "reason": reason,
        "looked_at": progress.looked_at,
        "sent": progress.sent,
        "waiting": progress.waiting,
        "uncertain": progress.uncertain,
        "erased": progress.erased,
        "percent": round(100 * progress.share),
        "left_out": named(progress.left_out),
        "failed": named(progress.failed, "failed"),
    }


def audience_words(runtime: Runtime, audience: Audience) -> list[str]:
    """Each criterion in a line; one line when there is none."""
    return [_words(runtime, one) for one in audience.all_of] or [say()("broadcasts.whom_everybody")]


def _words(runtime: Runtime, criterion: Criterion) -> str:
    t, locale = say(), me().locale
    match criterion:
        case OnChannel(any_of):
            return _line("channel", (t(f"broadcasts.channel_{one}") for one in any_of))
        case Reads(any_of):
            return _line("reads", (t(f"broadcasts.reads_{one}") for one in any_of))
        case Screened(any_of):
            return _line("screened", (t(f"broadcasts.outcome_{one}") for one in any_of))
        case Follows(any_of):
            routines = runtime.content.routines
            return _line("follows", (routines[one].title.to(locale) if one in routines else one for one in any_of))
        case Active(days):
            return t("broadcasts.whom_active", days=days)
        case Silent(days):
            return t("broadcasts.whom_silent", days=days)
        case Practised(least, most):
            return t("broadcasts.whom_practised", least=least, most="" if most is None else most)
        case Tagged(any_of):
            return _line("tagged", any_of)
        case Chosen(contacts):
            return t("broadcasts.whom_chosen", n=len(contacts))
        case _:
            assert_never(criterion)


def _line(name: str, values: Iterator[str] | Sequence[str]) -> str:
    return f"{say()(f'broadcasts.whom_{name}')} {', '.join(values)}"
