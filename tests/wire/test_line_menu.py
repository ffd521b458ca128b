"""`flask line setup` against a LINE that remembers its menus and its webhook address."""

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.channels.line import menu_picture
from bot.channels.line.menu import NAME_PREFIX, set_up
from bot.config import Settings
from bot.content.load import load
from bot.content.model import Content, Menu
from bot.messages import Command, CommandToken, decode_token
from tests.wire.line_platform import Answer, Request, platform

CONTENT_DIR = Path(__file__).parents[2] / "content"
WEBHOOK = "https://bot.example/webhooks/line"


@pytest.fixture(scope="module")
def content() -> Content:
    return load(CONTENT_DIR)


draw = menu_picture.draw


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """The same menu is not painted twice: it takes a second."""
    kept: dict[tuple[str, Path], bytes] = {}

    def remembered(menu: Menu, media: Path) -> bytes:
        key = (menu.model_dump_json(), media)
        if key not in kept:
            kept[key] = draw(menu, media)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(menu_picture, "draw", remembered)
        yield


class Line:
    """The part of LINE that keeps menus, pictures and the webhook address."""

    def __init__(self) -> None:
        self.menus: dict[str, dict[str, object]] = {}
        self.pictures: dict[str, bytes] = {}
        self.default: str | None = None
        self.webhook: str | None = None
        self.active = True
        self.test: dict[str, object] = {"success": True, "statusCode": 200, "reason": "OK", "detail": "200"}
        self.broken: dict[tuple[str, str], Answer] = {}
        self.changes: list[str] = []
        self.made = 0

    def answer(self, request: Request) -> Answer:
        assert request.headers["authorization"] == "Bearer token"
        host, _, path = request.path.removeprefix("/").partition("/v2/bot/")
        for (method, part), answer in self.broken.items():
            if method == request.method and part in path:
                return answer
        if request.method != "GET" and path != "channel/webhook/test":
            self.changes.append(f"{request.method} {path.split('richmenu-')[0]}")
        return self._data(request, path) if host == "data" else self._api(request, path)

    def _data(self, request: Request, path: str) -> Answer:
        menu_id = path.split("/")[1]
        if request.method == "POST":
            assert request.headers["content-type"] == "image/png"
            self.pictures[menu_id] = request.data
            return Answer()
        picture = self.pictures.get(menu_id)
        return Answer(404, {"message": "Not found"}) if picture is None else Answer(raw=picture)

    def _api(self, request: Request, path: str) -> Answer:
        match request.method, path.split("/"):
            case "GET", ["richmenu", "list"]:
                return Answer(body={"richmenus": [{"richMenuId": i, **menu} for i, menu in self.menus.items()]})
            case "POST", ["richmenu"]:
                self.made += 1
                self.menus[f"richmenu-{self.made}"] = request.body
                return Answer(body={"richMenuId": f"richmenu-{self.made}"})
            case "DELETE", ["richmenu", menu_id]:
                del self.menus[menu_id]
                return Answer()
            case "GET", ["user", "all", "richmenu"]:
                return Answer(body={"richMenuId": self.default}) if self.default else self._missing()
            case "POST", ["user", "all", "richmenu", menu_id]:
                assert menu_id in self.pictures, "LINE refuses a default menu without a picture"
                self.default = menu_id
                return Answer()
            case "GET", ["channel", "webhook", "endpoint"]:
                body = {"endpoint": self.webhook, "active": self.active}
                return Answer(body=body) if self.webhook else self._missing()
            case "PUT", ["channel", "webhook", "endpoint"]:
                self.webhook = str(request.body["endpoint"])
                return Answer()
            case "POST", ["channel", "webhook", "test"]:
                assert request.body == {"endpoint": self.webhook}
                return Answer(body={"timestamp": "2020-09-30T05:38:20.031Z", **self.test})
            case _:
                raise AssertionError(f"{request.method} {path}")

    def _missing(self) -> Answer:
        return Answer(404, {"message": "Not found"})


def run(line: Line, content: Content, **changes: object) -> tuple[bool, list[str]]:
    said: list[str] = []
    with platform(line.answer) as running:
        values: Mapping[str, object] = {
            "line_channel_access_token": SecretStr("token"),
            "public_url": "https://bot.example",
            "line_api_url": f"{running.url}/api",
            "line_data_api_url": f"{running.url}/data",
            "content_dir": CONTENT_DIR,
            **changes,
        }
        done = set_up(Settings.model_validate(values), content, said.append)
    return done, said


def a_menu(name: str) -> dict[str, object]:
    return {
        "size": {"width": 2500, "height": 1686},
        "selected": True,
        "name": name,
        "chatBarText": "menu",
        "areas": [],
    }


# --- the first time and again ----------------------------------------------------------------------------------------


def test_the_menu_is_drawn_uploaded_and_shown_to_everyone_and_the_webhook_set_and_tested(content: Content) -> None:
    line = Line()
    done, said = run(line, content)
    assert done
    assert said == [
        "Rich menu: drawn and uploaded.",
        "Rich menu: every patient sees it now.",
        f"Webhook: LINE calls {WEBHOOK} from now on.",
        "Webhook: LINE reached the bot.",
    ]
    (menu_id,) = line.menus
    assert (line.default, line.webhook) == (menu_id, WEBHOOK)
    assert Image.open(BytesIO(line.pictures[menu_id])).size == (2500, 1686)


def test_run_twice_it_changes_nothing(content: Content) -> None:
    line = Line()
    run(line, content)
    line.changes.clear()
    done, said = run(line, content)
    assert (done, line.changes) == (True, [])
    assert said == [
        "Rich menu: up to date.",
        f"Webhook: LINE calls {WEBHOOK}.",
        "Webhook: LINE reached the bot.",
    ]


def test_each_field_sends_its_command_and_the_fields_cover_the_picture(content: Content) -> None:
    line = Line()
    run(line, content)
    (menu,) = line.menus.values()
    areas = json.loads(json.dumps(menu["areas"]))
    assert [decode_token(area["action"]["data"]) for area in areas] == [
        CommandToken(area.command) for area in content.menu.areas
    ]
    assert [area["action"]["displayText"] for area in areas] == [area.label.ja for area in content.menu.areas]
    assert all(len(area["action"]["label"]) <= 20 for area in areas)
    assert areas[0]["bounds"] == {"x": 0, "y": 0, "width": 833, "height": 843}
    assert areas[5]["bounds"] == {"x": 1667, "y": 843, "width": 833, "height": 843}
    assert sum(area["bounds"]["width"] * area["bounds"]["height"] for area in areas) == 2500 * 1686


# --- changes ---------------------------------------------------------------------------------------------------------


def with_label(content: Content, label: str) -> Content:
    first = content.menu.areas[0]
    changed = first.model_copy(update={"label": first.label.model_copy(update={"ja": label})})
    menu = content.menu.model_copy(update={"areas": (changed, *content.menu.areas[1:])})
    return content.model_copy(update={"menu": menu})


def with_command(content: Content, command: Command) -> Content:
    changed = content.menu.areas[0].model_copy(update={"command": command})
    menu = content.menu.model_copy(update={"areas": (changed, *content.menu.areas[1:])})
    return content.model_copy(update={"menu": menu})


@pytest.mark.parametrize("change", [lambda c: with_label(c, "はじめる"), lambda c: with_command(c, Command.SUMMARY)])
def test_a_changed_menu_replaces_the_one_we_made_and_no_other(content: Content, change: object) -> None:
    line = Line()
    line.menus = {"richmenu-staff": a_menu("made by the staff"), "richmenu-old": a_menu(f"{NAME_PREFIX} 0123 old")}
    run(line, content)
    (ours,) = set(line.menus) - {"richmenu-staff"}
    assert callable(change)
    done, said = run(line, change(content))
    assert done
    assert "Rich menu: an earlier one of ours was removed." in said
    assert len(line.menus) == 2
    assert "richmenu-staff" in line.menus
    assert ours not in line.menus
    assert line.default in line.menus


def test_a_menu_whose_upload_was_cut_off_gets_its_picture_the_next_time(content: Content) -> None:
    line = Line()
    line.broken[("POST", "/content")] = Answer(500)
    done, said = run(line, content)
    assert not done
    assert said[-1].startswith("LINE refused (status 500)")
    assert line.default is None
    line.broken.clear()
    assert run(line, content)[0]
    assert len(line.menus) == 1
    assert set(line.pictures) == set(line.menus)


def test_another_public_address_moves_the_webhook(content: Content) -> None:
    line = Line()
    run(line, content)
    done, said = run(line, content, public_url="https://new.example/bot/")
    assert done
    assert line.webhook == "https://new.example/bot/webhooks/line"
    assert "Webhook: LINE calls https://new.example/bot/webhooks/line from now on." in said


# --- what the operator is told ---------------------------------------------------------------------------------------


def test_a_failed_webhook_test_says_what_line_saw(content: Content) -> None:
    line = Line()
    line.test = {"success": False, "statusCode": 502, "reason": "ERROR_STATUS_CODE", "detail": "Bad Gateway"}
    done, said = run(line, content)
    assert not done
    assert said[-1].startswith("Webhook: the test failed, LINE says ERROR_STATUS_CODE (status 502).")


def test_a_webhook_switched_off_at_line_is_told(content: Content) -> None:
    line = Line()
    line.webhook, line.active = WEBHOOK, False
    done, said = run(line, content)
    assert not done
    assert "Use webhook" in said[-1]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_access_token_is_told(content: Content, status: int) -> None:
    line = Line()
    line.broken[("GET", "richmenu/list")] = Answer(status, {"message": "Authentication failed"})
    done, said = run(line, content)
    assert not done
    assert said == [
        f"LINE refused the channel access token (status {status}). Issue a new one in the LINE Developers Console, tab "
        "Messaging API, and set LINE_CHANNEL_ACCESS_TOKEN."
    ]


def test_too_many_menus_in_an_hour_is_told(content: Content) -> None:
    line = Line()
    line.broken[("POST", "richmenu")] = Answer(429, {"message": "The API rate limit has been exceeded."})
    done, said = run(line, content)
    assert not done
    assert "100 times an hour" in said[-1]


def test_a_line_that_cannot_be_reached_is_told(content: Content) -> None:
    done, said = run(Line(), content, line_api_url="http://127.0.0.1:1")
    assert not done
    assert said == ["LINE could not be reached at http://127.0.0.1:1 (MaxRetryError). Try again later."]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"line_channel_access_token": SecretStr("")}, "Set LINE_CHANNEL_ACCESS_TOKEN"),
        ({"public_url": ""}, "Set PUBLIC_URL"),
        (
            {"public_url": "http://bot.example", "line_api_url": "https://api.line.me"},
            "PUBLIC_URL is http://bot.example, but LINE calls https addresses only.",
        ),
    ],
)
def test_what_is_missing_is_told_before_anything_is_sent(
    content: Content, changes: dict[str, object], sentence: str
) -> None:
    done, said = run(Line(), content, **changes)
    assert not done
    assert len(said) == 1
    assert said[0].startswith(sentence)


def test_a_missing_icon_is_told_by_name(content: Content, tmp_path: Path) -> None:
    done, said = run(Line(), content, content_dir=tmp_path)
    assert not done
    assert said[0].startswith("An icon of content/menu.toml cannot be read")
    assert content.menu.areas[0].icon in said[0]


# --- the picture -----------------------------------------------------------------------------------------------------


def picture_of(menu: Menu) -> Image.Image:
    return Image.open(BytesIO(menu_picture.draw(menu, CONTENT_DIR / "media"))).convert("L")


def test_the_picture_is_one_that_line_takes_and_always_the_same(content: Content) -> None:
    first = draw(content.menu, CONTENT_DIR / "media")
    assert first == draw(content.menu, CONTENT_DIR / "media")
    assert len(first) < 1_000_000
    assert Image.open(BytesIO(first)).format == "PNG"


def ink_below_icons(picture: Image.Image, column: int) -> tuple[int, int]:
    """Left and right edge of the label in a field of the top row."""
    left, _, right, bottom = menu_picture.boxes()[column]
    strip = picture.crop((left + 40, bottom - 330, right - 40, bottom - 40)).point(lambda p: 255 if p < 128 else 0)
    box = strip.getbbox()
    assert box is not None, "no label"
    return box[0], box[2]


@pytest.mark.parametrize("label", ["予約", "セルフケアをはじめる", "腰の調子とこれまでの記録をみる", "あ" * 20])
def test_every_label_up_to_the_limit_stays_inside_its_field(content: Content, label: str) -> None:
    left, right = ink_below_icons(picture_of(with_label(content, label).menu), 0)
    assert left > 0
    assert right < 833 - 80
