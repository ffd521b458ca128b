"""pages.toml: what the patient's own pages say. `{...}` are filled in by the pages, as named there."""

from bot.content.basis import Strict, Wording
from bot.messages import Disposition


class Common(Strict):
    """On every page, and in the place of one that cannot be opened."""

    closed_title: Wording
    expired: Wording
    forged: Wording
    gone: Wording
    new_player: Wording
    new_progress: Wording
    new_data: Wording
    new_any: Wording
    not_now_title: Wording
    not_now: Wording
    back: Wording
    private: Wording
    ambulance: Wording
    none: Wording


class Player(Strict):
    """The guided player."""

    title: Wording
    step_of: Wording
    begin: Wording
    pause: Wording
    go_on: Wording
    back: Wording
    next: Wording
    finish: Wording
    seconds: Wording
    no_clock: Wording
    left: Wording
    right: Wording
    now_left: Wording
    now_right: Wording
    change: Wording
    ready: Wording
    paused: Wording
    running: Wording
    sound: Wording
    vibration: Wording
    hurts: Wording
    stop_title: Wording
    stop_rules: Wording
    stop_chat: Wording
    emergency: Wording
    stop_close: Wording
    done_title: Wording
    done: Wording
    again: Wording
    no_script: Wording


class Outcomes(Strict):
    """What a screening led to, by disposition, in plain words."""

    emergency: Wording
    urgent: Wording
    doctor: Wording
    no_massage: Wording
    self_massage: Wording

    def of(self, outcome: Disposition) -> Wording:
        """The words for one."""
        found: Wording = getattr(self, outcome.value)
        return found


class Progress(Strict):
    """The progress page."""

    title: Wording
    week: Wording
    total: Wording
    streak: Wording
    times: Wording
    days: Wording
    streak_note: Wording
    pain_title: Wording
    pain_note: Wording
    before: Wording
    after: Wording
    scale: Wording
    day: Wording
    peg_title: Wording
    peg_note: Wording
    peg: Wording
    change_title: Wording
    table: Wording
    chart: Wording
    nothing: Wording
    honest: Wording
    screening_title: Wording
    screening_none: Wording
    screening_note: Wording
    outcomes: Outcomes


class Data(Strict):
    """The page of everything stored."""

    title: Wording
    intro: Wording
    you: Wording
    language: Wording
    language_name: Wording
    since: Wording
    seen: Wording
    consents: Wording
    consents_none: Wording
    consent_since: Wording
    guidance: Wording
    staff: Wording
    tips: Wording
    withdraw: Wording
    withdraw_guidance: Wording
    screenings: Wording
    sessions: Wording
    started: Wording
    report: Wording
    messages: Wording
    measures: Wording
    messages_all: Wording
    from_you: Wording
    from_us: Wording
    tapped: Wording
    emptied: Wording
    more: Wording
    more_note: Wording
    file_title: Wording
    file_note: Wording
    file: Wording
    erase_title: Wording
    erase_note: Wording
    erase_label: Wording
    erase_word: Wording
    erase: Wording
    erase_again: Wording
    erasing_title: Wording
    erasing: Wording
    withdrawing_title: Wording
    withdrawing: Wording


class Pages(Strict):
    """All of it."""

    common: Common
    player: Player
    progress: Progress
    data: Data
