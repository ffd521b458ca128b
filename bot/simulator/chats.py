"""The platform's own records: who has the clinic as a friend, and what stands in each chat."""

import hashlib
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from bot.simulator.clock import Clock
from bot.simulator.wire import Obj

SAMPLES: Final = ("見本 花子(サンプル)", "見本 太郎(サンプル)")


@dataclass(frozen=True, slots=True)
class Person:
    """A LINE user. `friend` is None before the account was ever added, False while it is blocked."""

    user_id: str
    name: str
    language: Literal["ja", "en"] = "ja"
    friend: bool | None = None


@dataclass(frozen=True, slots=True)
class Bubble:
    """One thing in a chat. `seq` grows with every change of any bubble, so a reader can ask for what is new. `message`
    is the wire's message object; of kind `notice` it holds what LINE itself says ({"notice": "followed"})."""

    id: str
    seq: int
    sender: Literal["bot", "person", "notice"]
    at: datetime
    message: Obj
    read: bool = False
    unsent: bool = False
    way: Literal["", "reply", "push", "multicast"] = ""


class Chats:
    """Thread-safe; ids are of users, groups and rooms alike."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._people: dict[str, Person] = {}
        self._groups: set[str] = set()
        self._bubbles: dict[str, list[Bubble]] = {}
        self._seq = 0
        self._message_id = int(clock.now().timestamp()) * 1_000_000

    def add_person(self, name: str = "", language: Literal["ja", "en"] = "ja") -> Person:
        """A new LINE user, not yet a friend. The same name has the same user id in every run."""
        with self._lock:
            if not name:
                count = len(self._people) + 1
                name = f"見本 {count}号(サンプル)" if language == "ja" else f"Sample {count}"
            user_id = "U" + hashlib.sha256(name.encode()).hexdigest()[:32]
            return self._people.setdefault(user_id, Person(user_id, name, language))

    def add_group(self, group_id: str) -> None:
        """A group that the account was invited to."""
        with self._lock:
            self._groups.add(group_id)

    def leave(self, group_id: str) -> bool:
        """False when the account is in no such group."""
        with self._lock:
            known = group_id in self._groups
            self._groups.discard(group_id)
            return known

    def people(self) -> tuple[Person, ...]:
        """In the order they came."""
        with self._lock:
            return tuple(self._people.values())

    def person(self, user_id: str) -> Person | None:
        """None for an id that the platform never gave out."""
        with self._lock:
            return self._people.get(user_id)

    def exists(self, chat_id: str) -> bool:
        """Whether a message to this id can be accepted (a blocking user's can, and goes nowhere)."""
        with self._lock:
            return chat_id in self._people or chat_id in self._groups

    def befriend(self, user_id: str, friend: bool) -> None:
        """Adds or blocks the account."""
        with self._lock:
            self._people[user_id] = replace(self._people[user_id], friend=friend)
            self._seq += 1

    def receives(self, chat_id: str) -> bool:
        """Whether what is sent arrives. FAQ: to a user who blocks the account it answers 200 and goes nowhere."""
        with self._lock:
            person = self._people.get(chat_id)
            return chat_id in self._groups or (person is not None and person.friend is True)

    def put(
        self,
        chat_id: str,
        sender: Literal["bot", "person", "notice"],
        message: Obj,
        way: Literal["", "reply", "push", "multicast"] = "",
    ) -> Bubble:
        """Adds a bubble at the end of the chat."""
        with self._lock:
            self._seq += 1
            self._message_id += 1
            bubble = Bubble(str(self._message_id), self._seq, sender, self._clock.now(), message, way=way)
            self._bubbles.setdefault(chat_id, []).append(bubble)
            return bubble

    def mark(self, chat_id: str, bubble_id: str, *, read: bool = False, unsent: bool = False) -> None:
        """Marks a bubble as read or taken back."""
        with self._lock:
            for index, bubble in enumerate(self._bubbles.get(chat_id, [])):
                if bubble.id == bubble_id:
                    self._seq += 1
                    changed = replace(bubble, seq=self._seq, read=bubble.read or read, unsent=bubble.unsent or unsent)
                    self._bubbles[chat_id][index] = changed

    def bubbles(self, chat_id: str, after: int = 0) -> tuple[Bubble, ...]:
        """Those new or changed after `after`, in the order of the chat."""
        with self._lock:
            return tuple(b for b in self._bubbles.get(chat_id, ()) if b.seq > after)

    @property
    def seq(self) -> int:
        """The latest change."""
        with self._lock:
            return self._seq
