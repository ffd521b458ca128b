"""Newcomers get the name that their channel tells."""

from datetime import timedelta

from sqlalchemy import select, update

from bot.names import AGAIN, learn
from bot.simulator.demo import Demo
from bot.store.tables import Contact
from tests.patient import Patient


def names(demo: Demo) -> list[str | None]:
    with demo.bot.runtime.db.read() as look:
        return list(look.execute(select(Contact.name).order_by(Contact.id)).scalars())


def test_newcomers_get_the_name_of_their_profile_and_a_name_that_staff_wrote_stays(demo: Demo) -> None:
    one, other = Patient(demo, "見本 花子(サンプル)"), Patient(demo, "<b>名前</b> 😀")
    one.follow()
    other.follow()
    learn(demo.bot.runtime)
    assert names(demo) == ["見本 花子(サンプル)", "<b>名前</b> 😀"]
    with demo.bot.runtime.db.write() as tx:
        tx.execute(update(Contact).values(name="スタッフが書いた名前"))
    learn(demo.bot.runtime)
    assert set(names(demo)) == {"スタッフが書いた名前"}


def test_somebody_who_is_no_friend_is_asked_for_again_only_much_later(demo: Demo) -> None:
    patient = Patient(demo)
    patient.say("こんにちは")
    for _ in range(3):
        learn(demo.bot.runtime)
    assert names(demo) == [None]
    patient.follow()
    learn(demo.bot.runtime)
    assert names(demo) == [None]
    demo.clock.move(AGAIN + timedelta(seconds=1))
    learn(demo.bot.runtime)
    assert names(demo) == ["見本 花子(サンプル)"]
