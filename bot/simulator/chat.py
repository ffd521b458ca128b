"""The same talk in a terminal: bubbles as text, choices by number."""

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.messages import CommandToken, encode_token
from bot.simulator.demo import Demo
from bot.simulator.reading import Reading, Tappable, read

HELP: Final = "数字で選ぶか、文を入力 / a number or a text   /+1h /+1d /menu /sticker /block /follow /quit"
JUMPS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1)}

Say = Callable[[str], None]


class Chat:
    """One person at a terminal. `say` prints a line."""

    def __init__(self, demo: Demo, say: Say, name: str, language: str = "ja") -> None:
        self._demo = demo
        self._say = say
        self.person = demo.platform.chats.add_person(name, "en" if language == "en" else "ja").user_id
        self._seen = 0
        self._choices: list[Tappable] = []

    def begin(self) -> None:
        """Adds the account as a friend and shows its greeting."""
        self._say(HELP)
        self._demo.webhooks.follow(self.person)
        self._listen()

    def take(self, line: str) -> bool:
        """Does what was typed and shows the answer. False when the person leaves."""
        line = line.strip()
        hooks = self._demo.webhooks
        if line == "/quit":
            return False
        if jump := re.fullmatch(r"/\+(\d{1,3})([hd])", line):
            self._demo.clock.move(int(jump[1]) * JUMPS[jump[2]])
            self._say(f"-- {self._demo.clock.now().astimezone():%m/%d %H:%M}")
        elif line == "/menu":
            self._show_menu()
            return True
        elif line == "/sticker":
            hooks.sticker(self.person)
        elif line == "/block":
            hooks.block(self.person)
        elif line == "/follow":
            hooks.follow(self.person)
        elif line.startswith("/"):
            self._say(HELP)
            return True
        elif chosen := self._chosen(line):
            self._tap(chosen)
        elif line:
            hooks.say(self.person, line)
        self._listen()
        return True

    def _chosen(self, line: str) -> Tappable | None:
        """A label wins over a number: a pain of 3 is not the third choice."""
        by_label = [one for one in self._choices if one.label == line]
        if by_label:
            return by_label[-1]
        number = int(line) if line.isascii() and line.isdigit() else 0
        return self._choices[number - 1] if 0 < number <= len(self._choices) else None

    def _tap(self, one: Tappable) -> None:
        match one.kind:
            case "postback":
                self._say(f"  > {one.shown or one.label}")
                self._demo.webhooks.tap(self.person, one.value, one.shown)
            case "message":
                self._demo.webhooks.say(self.person, one.value)
            case "uri":
                self._say(f"  -> {one.value}")
            case "time":
                self._say("  -> 21:30")  # what the picker would give is typed here
            case "date":
                self._say(f"  -> {one.first}")
                self._demo.webhooks.pick_day(self.person, one.value, one.first)

    def _listen(self) -> None:
        """Lets the bot do what is due, then shows what arrived. Quick replies go with the newest bubble."""
        self._demo.bot.drain()
        platform = self._demo.platform
        arrived = [b for b in platform.chats.bubbles(self.person, self._seen) if b.sender == "bot"]
        self._seen = platform.chats.seq
        for index, bubble in enumerate(arrived):
            reading = read(bubble.message)
            newest = index == len(arrived) - 1
            self._choices = ([] if index == 0 else self._choices) + [
                *reading.buttons,
                *(reading.quick if newest else ()),
            ]
            self._show(reading)
        for number, one in enumerate(self._choices if arrived else [], start=1):
            self._say(f"  {number}) {one.label}" + (f"  {one.value}" if one.kind == "uri" else ""))
        for violation in platform.violations:
            self._say(f"!! LINE would refuse: {violation.where}: {violation.problem}")
        platform.violations.clear()

    def _show(self, reading: Reading) -> None:
        width = min(shutil.get_terminal_size().columns, 76)
        self._say("-" * width)
        for line in reading.lines:
            self._say(line)

    def _show_menu(self) -> None:
        person = self._demo.platform.chats.person(self.person)
        locale = "ja" if person is None else person.language
        self._choices = [
            Tappable(a.label.to(locale), "postback", encode_token(CommandToken(a.command)), a.label.to(locale))
            for a in self._demo.bot.runtime.content.menu.areas
        ]
        for number, one in enumerate(self._choices, start=1):
            self._say(f"  {number}) {one.label}")
