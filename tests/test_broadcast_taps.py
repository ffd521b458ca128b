"""Taps on a broadcast's buttons and links: counted exactly, by our own addresses, which lead nowhere but where staff said."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from app import create_app
from bot import contacts, taps
from bot.access import Role
from bot.audience import Audience
from bot.broadcasts import desk, expand, results
from bot.broadcasts.desk import Actor, Draft
from bot.broadcasts.letter import is_link
from bot.engine.step import step
from bot.inbox import accept
from bot.messages import Card, Choice, Command, Commanded, CommandToken, Locale, Message, decode_token, encode_token
from bot.store import codec
from bot.store.tables import Outbox, Tap
from bot.taps import Link, Tapped
from tests import crowd
from tests.crowd import Patient
from tests.world import START, World

THERAPIST = Actor("therapist", Role.THERAPIST)
PLACE: Mapping[Locale, str] = {"ja": "https://clinic.example/ja?day=1", "en": "https://clinic.example/en"}


def letter() -> Mapping[Locale, Message]:
    def said(locale: Locale) -> Message:
        buttons = (
            Choice("きょうのケア", token=CommandToken(Command.TODAY)),
            Choice("くわしく", uri=PLACE[locale]),
        )
        return Message((Card("コツ", "少しずつ", choices=buttons),))

    return {"ja": said("ja"), "en": said("en")}


@pytest.fixture
def clinic(world: World) -> World:
    """The pipeline with the real engine, and pages that can be signed."""
    signed = {"secret_key": SecretStr("k" * 32), "public_url": "https://bot.example"}
    settings = world.runtime.settings.model_copy(update=signed)
    return replace(world, runtime=replace(world.runtime, settings=settings, step=step))


@pytest.fixture
def web(clinic: World) -> FlaskClient:
    return create_app(runtime=clinic.runtime).test_client()


def sent(clinic: World) -> int:
    made = desk.create(clinic.runtime, THERAPIST, Draft("April", letter(), Audience()))
    assert isinstance(made, int)
    typed = desk.count(clinic.runtime, Audience()).sent_to
    assert desk.start(clinic.runtime, THERAPIST, made, typed) is None
    clinic.run()
    return made


def links(clinic: World) -> list[str]:
    """The path of each recipient's link, as it was sent."""
    messages = [codec.message_from(str(row)) for row in clinic.column(Outbox.message)]
    buttons = [list(taps.buttons(message)) for message in messages]
    return [(each[1].uri or "").removeprefix("https://bot.example") for each in buttons]


def tapped(clinic: World, number: int) -> list[Tapped]:
    with clinic.db.read() as look:
        found = results.find(look, number)
        assert found is not None
        return [one.tapped for one in results.button_taps(look, found)]


def test_everybodys_link_is_their_own_and_each_is_counted_once_as_a_person(clinic: World, web: FlaskClient) -> None:
    crowd.add(clinic.db, [Patient(), Patient(), Patient(locale="en")])
    number = sent(clinic)
    paths = links(clinic)
    assert len(set(paths)) == 3
    for path in (paths[0], paths[0], paths[0], paths[2]):
        web.get(path)
    assert web.get(paths[0]).headers["Location"] == PLACE["ja"]
    assert web.get(paths[2]).headers["Location"] == PLACE["en"]
    assert tapped(clinic, number) == [Tapped(0, 0), Tapped(2, 6)]


def test_a_tap_on_a_button_counts_once_whatever_the_provider_delivers_again(clinic: World) -> None:
    crowd.add(clinic.db, [Patient(), Patient()])
    number = sent(clinic)
    token = decode_token(f"c|today|{number}.0")
    assert token == CommandToken(Command.TODAY, f"{number}.0")
    first = clinic.event(Commanded(Command.TODAY, f"{number}.0"), "U1")
    accept(clinic.runtime, [first, first])
    accept(clinic.runtime, [first, clinic.event(Commanded(Command.TODAY, f"{number}.0"), "U2")])
    accept(clinic.runtime, [clinic.event(Commanded(Command.TODAY, f"{number}.0"), "U2")])
    clinic.run()
    assert tapped(clinic, number) == [Tapped(2, 3), Tapped(0, 0)]


def test_above_the_bound_people_share_a_call_and_taps_are_counted_without_names(
    clinic: World, web: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "PERSONAL_MOST", 2)
    crowd.add(clinic.db, [Patient()] * 3)
    number = sent(clinic)
    assert [len(call) for call in clinic.platform.many] == [3]
    for path in links(clinic):
        web.get(path)
    assert tapped(clinic, number)[1] == Tapped(0, 3)


def test_programs_that_draw_previews_are_led_on_and_not_counted(clinic: World, web: FlaskClient) -> None:
    crowd.add(clinic.db, [Patient()])
    number = sent(clinic)
    [path] = links(clinic)
    agents = ("facebookexternalhit/1.1;line-poker/1.0", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)")
    for agent in agents:
        assert web.get(path, headers={"User-Agent": agent}).status_code == 302
    assert web.head(path).status_code == 302
    assert tapped(clinic, number)[1] == Tapped(0, 0)


def test_nothing_that_we_did_not_sign_leads_anywhere(clinic: World, web: FlaskClient) -> None:
    crowd.add(clinic.db, [Patient()])
    number = sent(clinic)
    [path] = links(clinic)
    body, _, signature = path.rpartition(".")
    forged = (f"{body}x.{signature}", path[:-2], "/l/https://evil.example", f"/l/{'A' * 4000}", "/l/..")
    for address in forged:
        response = web.get(address)
        assert response.status_code in (308, 404)
        assert "evil" not in response.headers.get("Location", "")
    beyond = taps.address(clinic.runtime.settings, Link(number, 7, "ja", 1)).removeprefix("https://bot.example")
    unknown = taps.address(clinic.runtime.settings, Link(number + 1, 1, "ja", 1)).removeprefix("https://bot.example")
    command = taps.address(clinic.runtime.settings, Link(number, 0, "ja", 1)).removeprefix("https://bot.example")
    assert [web.get(one).status_code for one in (beyond, unknown, command)] == [404] * 3


def test_taps_stay_counted_when_the_person_is_erased(clinic: World, web: FlaskClient) -> None:
    crowd.add(clinic.db, [Patient(), Patient()])
    number = sent(clinic)
    first, second = links(clinic)
    web.get(first)
    with clinic.db.write() as tx:
        contacts.erase(tx, 1, START, "patient")
        contacts.erase(tx, 2, START, "patient")
    web.get(first)
    web.get(second)
    assert tapped(clinic, number)[1] == Tapped(0, 3)
    assert set(clinic.column(Tap.contact_id)) == {None}


def test_a_link_tried_out_leads_on_and_is_not_counted(clinic: World, web: FlaskClient) -> None:
    crowd.add(clinic.db, [Patient()])
    clinic.set_test_contact("U1")
    made = desk.create(clinic.runtime, THERAPIST, Draft("April", letter(), Audience()))
    assert isinstance(made, int)
    assert desk.send_test(clinic.runtime, THERAPIST, made, [1]) == 1
    [path] = links(clinic)
    assert web.get(path).headers["Location"] == PLACE["ja"]
    assert tapped(clinic, made)[1] == Tapped(0, 0)


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://clinic.example/a?b=c#d", True),
        ("https://日本.example/", True),
        ("http://clinic.example/", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://user:word@evil.example/", False),
        ("https://clinic.example:8443/", False),
        ("https://clinic.example\\@evil.example/", False),
        ("https://clinic.example/a b", False),
        ("https://clinic.example/\n", False),
        ("https://[::1", False),
        ("https://clinic.example/" + "a" * 1000, False),
    ],
)
def test_a_link_is_a_plain_https_address(uri: str, good: bool) -> None:
    assert is_link(uri) is good


@pytest.mark.parametrize(
    "data", ["c|today|", "c|today|1", "c|today|1.0.0", "c|today|x.y", "c|today|1.0|2", "c|bogus|1.0"]
)
def test_button_data_that_we_did_not_write_is_nothing(data: str) -> None:
    assert decode_token(data) is None
    assert decode_token(encode_token(CommandToken(Command.TODAY, "12.3"))) == CommandToken(Command.TODAY, "12.3")
