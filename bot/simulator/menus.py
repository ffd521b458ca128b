"""Rich menus as the platform keeps them: made, given a picture, set as the default or for one user."""

import itertools
import threading
from dataclasses import dataclass, field
from typing import Final

from bot.simulator.wire import Obj

PICTURE_BYTES: Final = 1_000_000
"""Upload rich menu image: at most 1 MB, PNG or JPEG."""


@dataclass(frozen=True, slots=True)
class MenuPicture:
    """An uploaded picture."""

    media_type: str
    data: bytes = field(repr=False)


class Menus:
    """Thread-safe. Ids look like the platform's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._menus: dict[str, Obj] = {}
        self._pictures: dict[str, MenuPicture] = {}
        self._default: str | None = None
        self._linked: dict[str, str] = {}

    def add(self, menu: Obj) -> str:
        """The new menu's id."""
        with self._lock:
            menu_id = f"richmenu-{next(self._numbers):032x}"
            self._menus[menu_id] = menu
            return menu_id

    def get(self, menu_id: str) -> Obj | None:
        """The menu as it was sent, with its id."""
        with self._lock:
            menu = self._menus.get(menu_id)
            return None if menu is None else {"richMenuId": menu_id, **menu}

    def all(self) -> list[Obj]:
        """Every menu, oldest first."""
        with self._lock:
            return [{"richMenuId": menu_id, **menu} for menu_id, menu in self._menus.items()]

    def remove(self, menu_id: str) -> bool:
        """False when there is no such menu. A default or a link that pointed to it is gone as well."""
        with self._lock:
            known = self._menus.pop(menu_id, None) is not None
            self._pictures.pop(menu_id, None)
            if self._default == menu_id:
                self._default = None
            self._linked = {user: one for user, one in self._linked.items() if one != menu_id}
            return known

    def draw(self, menu_id: str, picture: MenuPicture) -> None:
        """Keeps the picture. A menu's picture cannot be replaced: the caller asks `picture` first."""
        with self._lock:
            self._pictures[menu_id] = picture

    def picture(self, menu_id: str) -> MenuPicture | None:
        """None before the upload."""
        with self._lock:
            return self._pictures.get(menu_id)

    def set_default(self, menu_id: str | None) -> None:
        """For everyone without a menu of their own."""
        with self._lock:
            self._default = menu_id

    def link(self, user_id: str, menu_id: str | None) -> None:
        """A menu for one user; None goes back to the default."""
        with self._lock:
            self._linked.pop(user_id, None)
            if menu_id is not None:
                self._linked[user_id] = menu_id

    def default(self) -> str | None:
        """The default menu's id."""
        with self._lock:
            return self._default

    def linked(self, user_id: str) -> str | None:
        """The menu linked to this user, not the default."""
        with self._lock:
            return self._linked.get(user_id)
