"""What the guide says: every flow as a picture, every question in both languages, and whether the content is sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from bot.access import Action
from bot.config import TRY_IT
from bot.content import graph
from bot.content.basis import Wording
from bot.content.model import (
    Ask,
    AskNumber,
    Branch,
    CardAsk,
    Conclude,
    Content,
    Due,
    End,
    Flow,
    Measure,
    Node,
    Report,
    Setback,
    Suggest,
    Tell,
)
from bot.content.notation import condition
from bot.runtime import Runtime
from bot.web.console.checking import Checked, Checking
from bot.web.console.flow_picture import draw
from bot.web.console.visit import House, go, me, needs, page, part, say, unattended

AGAIN = timedelta(seconds=3)
"""How often the page asks while the check is under way."""


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of the check. `changed`: the folder is not what is in use."""

    last: Checked | None
    at_work: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to answer, and where it leads ("" : where the others lead, or onwards)."""

    id: str
    words: Wording | None
    to: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One node of a flow in words. `lines` stand on it, `items` are a card's with their own answers."""

    id: str
    kind: str
    words: Sequence[Wording]
    items: Sequence[tuple[str, Wording]]
    answers: Sequence[Answer]
    to: str

    @property
    def is_question(self) -> bool:
        """Whether the patient has to answer."""
        return self.kind in ("ask", "card", "ask_number")


def register(console: Blueprint, house: House) -> None:
    """The views."""
    checking = Checking(lambda: house().now())

    @console.get("/content")
    @needs(Action.SEE_CONTENT)
    def content_page() -> Response:
        content = house().content
        flow = content.flows.get(request.args.get("flow", next(iter(_flows(content))).id))
        if flow is None:
            abort(404)
        return page(
            "content",
            flow=flow,
            flows=_flows(content),
            drawing=draw(content, graph.build(content), flow, me().locale, say()("content.otherwise")),
            entries=[_entry(content, node) for node in flow.node],
            every=int(AGAIN.total_seconds()),
            try_it=request.environ.get(TRY_IT),
            check=_checked(house(), checking),
        )

    @console.get("/content/check")
    @needs(Action.SEE_CONTENT)
    @unattended
    def content_check() -> Response:
        return part("content_check", check=_checked(house(), checking))

    @console.post("/content/check")
    @needs(Action.SEE_CONTENT)
    def content_check_again() -> BaseResponse:
        checking.begin(house().settings.content_dir)
        return go("content_page", flow=request.form.get("flow") or None)


def _checked(runtime: Runtime, checking: Checking) -> Check:
    last = checking.last(runtime.settings.content_dir)
    return Check(last, checking.at_work, last is not None and last.version != runtime.content.version)


def _flows(content: Content) -> Sequence[Flow]:
    """The screening first, then by their ids."""
    return sorted(content.flows.values(), key=lambda flow: (flow.id != "screening", flow.id))


def _entry(content: Content, node: Node) -> Entry:
    match node:
        case Ask():
            answers = [Answer(one.id, one.label, one.to or "") for one in node.options]
            return Entry(node.id, node.kind, _words(node.text, *node.lines, node.note), (), answers, node.next or "")
        case CardAsk():
            items = {item.id: item for item in content.safety.item}
            asked = [(one, items[one].text) for one in node.items]
            heads = (("any", node.any_label), ("old", node.old_label), ("none", node.none_label))
            answers = [Answer(name, label, "") for name, label in heads if label is not None]
            answers += [Answer(one.id, one.label, "") for one in node.options]
            return Entry(node.id, node.kind, _words(node.text, node.note), asked, answers, node.next)
        case AskNumber():
            numbers = [Answer(f"{node.low}-{node.high}", None, "")]
            return Entry(node.id, node.kind, _words(node.text, node.note), (), numbers, node.next)
        case Tell():
            return Entry(node.id, node.kind, _words(node.text, *node.lines), (), (), node.next)
        case Branch():
            ways = [Answer(condition(case.when), None, case.to) for case in node.cases]
            return Entry(node.id, node.kind, (), (), ways, node.otherwise)
        case Suggest():
            routines = [
                Answer(condition(one.when) or one.routine, _title(content, one.routine), "") for one in node.offers
            ]
            return Entry(node.id, node.kind, _words(node.text), (), routines, "")
        case Due():
            return Entry(node.id, node.kind, (), (), [Answer("", None, to) for to in node.checkups], node.next)
        case Conclude() | Report() | Measure() | Setback():
            return Entry(node.id, node.kind, (), (), (), node.next)
        case End():
            actions = [Answer("", one.label, "") for one in node.actions]
            return Entry(node.id, node.kind, _words(node.text), (), actions, "")


def _title(content: Content, routine: str) -> Wording:
    return content.routines[routine].title


def _words(*words: Wording | None) -> Sequence[Wording]:
    return [one for one in words if one is not None]
