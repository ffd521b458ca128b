"""Flags on a path: which hold, which are not known, and what of them to remember. Agrees with `conditions.judge`."""

from bot.content.atoms import FlagBits
from bot.content.foresight import AT_ONCE, Foresight
from bot.content.graph import Spot
from bot.content.stand import Judged, Stand


class Judge:
    """Judges paths on the outlook of the spot where they stand. `holding` are the flags (bits) ever found to hold."""

    def __init__(self, sight: Foresight) -> None:
        self._sight = sight
        self._flags = sight.atoms.flags
        self._seconds = tuple(f for f in self._flags if f.others)
        self._closing: dict[tuple[int, int], tuple[FlagBits, ...]] = {}
        self._known_levels: dict[int, int] = {}
        self.holding = 0

    def settled(self, raw: Stand, opened: int, spot: Spot) -> Stand:
        """`raw` as it matters at `spot`: flags that are decided from here on are counted, the rest is forgotten.
        `opened` are the flags (bits) that were undecided before."""
        true, false, hit, unknown, out = raw
        for flag in self._closed(opened, self._sight.outlooks[spot].open):
            if flag.bit & out or flag.need & false:
                continue
            if flag.need & true == flag.need:
                hit |= flag.sign
                self.holding |= flag.bit
            else:
                unknown |= flag.bit
        memory = self._sight.memory(spot, hit)
        keep, gone = memory.keep, memory.moot
        for flag, fixed in memory.mixed:
            if flag.bit & out or false & fixed:
                gone |= flag.bit
            else:
                keep |= flag.need
        return Stand(true & keep, false & keep, hit, unknown, gone)

    def _closed(self, before: int, after: int) -> tuple[FlagBits, ...]:
        key = (before, after)
        if key not in self._closing:
            gone = before & ~after
            self._closing[key] = tuple(f for f in self._flags if f.bit & gone)
        return self._closing[key]

    def judge(self, spot: Spot, stand: Stand) -> Judged:
        """Every flag that still matters."""
        signs, levels, holding, unknown = stand.hit, self._levels(stand.hit), 0, stand.unknown
        for flag in self._sight.outlooks[spot].firsts:
            if flag.bit & stand.out or flag.need & stand.false:
                continue
            if flag.need & stand.true == flag.need:
                signs |= flag.sign
                levels |= flag.level
                holding |= flag.bit
            else:
                unknown |= flag.bit
        waiting = unknown
        for flag in self._seconds:
            if flag.bit & stand.out or flag.need & stand.false:
                continue
            if any(not wanted & signs and not bits & waiting for wanted, bits in flag.others):
                continue
            if flag.need & stand.true == flag.need and all(wanted & signs for wanted, _ in flag.others):
                levels |= flag.level
                holding |= flag.bit
            else:
                unknown |= flag.bit
        self.holding |= holding
        return Judged(levels, holding, unknown)

    def _levels(self, signs: int) -> int:
        if signs not in self._known_levels:
            self._known_levels[signs] = self._sight.atoms.levels(signs)
        return self._known_levels[signs]

    def at_once(self, names: frozenset[str]) -> tuple[FlagBits, ...]:
        """The flags that can end a flow after an answer to one of `names`."""
        return tuple(f for f in self._flags if f.level & AT_ONCE and (f.names & names or f.others))

    def shows_at_once(self, spot: Spot, flags: tuple[FlagBits, ...], stand: Stand) -> bool:
        """Whether one of the flags that `at_once` named holds."""
        for flag in flags:
            if flag.need & stand.true == flag.need and not flag.bit & stand.out:
                if not flag.others:
                    self.holding |= flag.bit
                    return True
                if self.judge(spot, stand).levels & AT_ONCE:
                    return True
        return False
