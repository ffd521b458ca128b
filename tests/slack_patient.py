"""The same patient in Slack: signed requests in, and what Slack received back. Plays the same transcripts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.messages import Command, CommandToken, encode_token
from bot.simulator.demo import Demo
from bot.simulator.slack.webhooks import Told
from bot.simulator.slack.workspace import TEAM, Post
from bot.simulator.wire import Json, Obj
from tests.patient import Patient

SHOWN = {"image": "image/png", "video": "video/mp4", "audio": "audio/mpeg"}


@dataclass(frozen=True, slots=True)
class Element:
    """Something that can be tapped or chosen; of radio buttons, one option."""

    label: str
    kind: str
    block_id: str
    action: Obj
    post: Post | None


class SlackPatient(Patient):
    """A member of the workspace. Their Slack is set to Japanese unless told otherwise, as LINE's newcomers are spoken to."""

    channel = "slack"

    def __init__(self, demo: Demo, name: str = "見本 花子(サンプル)", locale: str = "ja-JP") -> None:
        self.demo = demo
        self.member = demo.slack.add(name, locale)
        self.user_id = self.member.user_id
        self.heard_from: Told | None = None
        self._unasked: list[datetime] = []
        self._seen = 0
        self._alerts_before = ()

    @property
    def address(self) -> str:
        return f"{TEAM}/{self.user_id}"

    # --- what they do ---

    def follow(self) -> str:
        self.demo.slack.set_deleted(self.user_id, False)
        return self._do(lambda: self.demo.slack_hooks.command(self.user_id))

    def block(self) -> str:
        return self._do(lambda: self.demo.slack_hooks.deactivate(self.user_id))

    def say(self, text: str) -> str:
        return self._do(lambda: self.demo.slack_hooks.say(self.user_id, text))

    def sticker(self) -> str:
        """Slack has emoji in their place."""
        return self.say(":ok_woman:")

    def show(self, what: str) -> str:
        return self._do(lambda: self.demo.slack_hooks.show(self.user_id, SHOWN.get(what, "application/pdf")))

    def tap(self, label: str) -> str:
        """The newest such button, else one of the Home tab. In a form: chooses the first open item's answer and sends it."""
        found = [*self._elements()]
        if all(one.label != label for one in found):
            found += self._home()
        return self._press(self._choose(label, found))

    def pick_time(self, label: str, time: str) -> str:
        found = self._choose(label, [*self._elements()])
        assert found.kind == "timepicker", f"[{label}] has no time picker"
        return self._do(
            lambda: self.demo.slack_hooks.act(self.user_id, {**found.action, "selected_time": time}, found.post)
        )

    def pick_day(self, label: str, day: str) -> str:
        found = self._choose(label, [*self._elements()])
        assert found.kind == "datepicker", f"[{label}] has no calendar"
        return self._do(
            lambda: self.demo.slack_hooks.act(self.user_id, {**found.action, "selected_date": day}, found.post)
        )

    def tap_old(self, label: str) -> str:
        """A button that Slack still showed when it was pressed."""
        older = [post for post in self._posts() if post.came <= self._seen]
        found = [one for post in reversed(older) for one in elements(post.first, post)]
        return self._press(self._choose(label, found))

    def tap_menu(self, command: Command) -> str:
        """The Home tab is Slack's menu."""
        wanted = encode_token(CommandToken(command))
        found = next((one for one in self._home() if one.action.get("value") == wanted), None)
        assert found is not None, f"no {wanted} in the Home tab"
        return self._press(found)

    def fill(self, *labels: str | None) -> str:
        """Chooses in a form, item by item (None: leaves it), and sends it."""
        post, rows = self._form()
        values: Obj = {}
        for row, label in zip(rows, labels, strict=True):
            if label is not None:
                values |= _chosen(row, label)
        return self._do(lambda: self.demo.slack_hooks.act(self.user_id, _submit(post), post, values))

    def redeliver(self) -> str:
        told = self.heard_from
        assert told is not None, "nothing happened yet"
        return self._do(lambda: self.demo.slack_hooks.again(told))

    def wait(self, by: timedelta) -> str:
        heard = self._do(lambda: self.demo.clock.move(by))
        self._unasked += [post.at for post in self._new()]
        return heard

    # --- what they see ---

    @property
    def heard(self) -> str:
        return "\n".join(line for post in self._new() for line in read(post.first))

    @property
    def messages(self) -> Sequence[Obj]:
        return [{"blocks": list(post.first)} for post in self._new()]

    @property
    def labels(self) -> Sequence[str]:
        return [one.label for post in self._new() for one in elements(post.blocks, post)]

    @property
    def pushes(self) -> int:
        """Slack bills nothing: what came unasked this month is what would be billed elsewhere."""
        now = self.demo.clock.now()
        return sum((at.year, at.month) == (now.year, now.month) for at in self._unasked)

    @property
    def posts(self) -> Sequence[Post]:
        """Everything the bot said, oldest first."""
        return self._posts()

    # --- how ---

    def _do(self, act: Callable[[], Told | None]) -> str:
        self._seen = self.demo.slack.seq
        self._alerts_before = self.alerts
        told = act()
        if told is not None:
            assert told.status == 200, f"the request was answered with {told.status}"
            self.heard_from = told
        self.demo.bot.drain()
        return self.heard

    def _after(self, act: Callable[[], object]) -> str:
        """What staff and others do reaches them as it does anybody."""

        def done() -> None:
            act()

        return self._do(done)

    def _posts(self) -> list[Post]:
        return [post for post in self.demo.slack.posts(self.member.channel) if post.sender == "bot"]

    def _new(self) -> list[Post]:
        """Posts that came, not those that only changed."""
        return [post for post in self._posts() if post.came > self._seen]

    def _elements(self) -> Iterator[Element]:
        for post in reversed(self._posts()):
            yield from elements(post.blocks, post)

    def _home(self) -> list[Element]:
        self.demo.slack_hooks.open_home(self.user_id)
        self.demo.bot.drain()
        view = self.demo.slack.homes.get(self.user_id, {})
        blocks = view.get("blocks")
        return [*elements(blocks if isinstance(blocks, list) else [], None)]

    def _choose(self, label: str, found: Sequence[Element]) -> Element:
        for one in found:
            if one.label == label:
                return one
        raise AssertionError(f"no [{label}] to tap, only {[one.label for one in found]}; heard: {self.heard}")

    def _press(self, one: Element) -> str:
        if one.kind != "radio_buttons":
            assert "url" not in one.action, f"[{one.label}] opens {one.action.get('url')}: nothing reaches the bot"
            return self._do(lambda: self.demo.slack_hooks.act(self.user_id, one.action, one.post))
        assert one.post is not None
        values: Obj = {one.block_id: {"chosen": {"type": "radio_buttons", "selected_option": one.action}}}
        post = one.post
        return self._do(lambda: self.demo.slack_hooks.act(self.user_id, _submit(post), post, values))

    def _form(self) -> tuple[Post, list[Obj]]:
        for post in reversed(self._posts()):
            rows = [block for block in post.blocks if isinstance(block, dict) and block.get("type") == "input"]
            if rows:
                return post, rows
        raise AssertionError("no form")


def elements(blocks: Sequence[Json], post: Post | None) -> Iterator[Element]:
    """What can be tapped or chosen, from the top."""
    for block in blocks:
        if not isinstance(block, dict):
            continue
        block_id = str(block.get("block_id", ""))
        if block["type"] == "input":
            for option in _list(_dict(block["element"])["options"]):
                yield Element(_said(_dict(option)["text"]), "radio_buttons", block_id, _dict(option), post)
        for element in _list(block.get("elements", [])) if block["type"] == "actions" else []:
            action = _dict(element)
            words = action.get("text") or action.get("placeholder")
            yield Element(_said(words), str(action["type"]), block_id, {**action, "block_id": block_id}, post)


def read(blocks: Sequence[Json]) -> Iterator[str]:
    """What a person reads, line by line; buttons in brackets."""
    for block in map(_dict, blocks):
        match block["type"]:
            case "header" | "section":
                yield from _shown(_said(block["text"])).split("\n")
            case "context":
                yield from (_shown(_said(one)) for one in _list(block["elements"]))
            case "image":
                yield f"({str(block['image_url']).rsplit('/', 1)[-1]})"
            case "input":
                yield _said(block["label"])
            case _:
                pass
    yield from (f"[{one.label}]" for one in elements(blocks, None))


def _shown(text: str) -> str:
    """As Slack shows mrkdwn: links by their label, escapes undone, emphasis without its marks."""
    out, rest = "", text
    while (start := rest.find("<")) >= 0:
        end = rest.index(">", start)
        out += rest[:start] + rest[start + 1 : end].rpartition("|")[2]
        rest = rest[end + 1 :]
    lines = [line.strip("*") for line in (out + rest).split("\n")]
    return "\n".join(lines).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _chosen(row: Obj, label: str) -> Obj:
    for option in _list(_dict(row["element"])["options"]):
        if _said(_dict(option)["text"]) == label:
            return {str(row["block_id"]): {"chosen": {"type": "radio_buttons", "selected_option": option}}}
    raise AssertionError(f"no answer {label} in {row}")


def _submit(post: Post) -> Obj:
    for one in elements(post.blocks, post):
        if str(one.action.get("action_id", "")).startswith("submit"):
            return one.action
    raise AssertionError("no button that sends the form")


def _said(text: Json) -> str:
    return str(_dict(text)["text"])


def _dict(value: Json) -> Obj:
    assert isinstance(value, dict), value
    return value


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list), value
    return value


Kind = Literal["line", "slack"]


def newcomer(kind: Kind, demo: Demo, language: Literal["ja", "en"] = "ja") -> Patient:
    """A patient on either channel, spoken to in Japanese at first."""
    return SlackPatient(demo) if kind == "slack" else Patient(demo, language=language)
