"""How a process that serves until it is told to stop waits for that."""

import signal
from collections.abc import Callable
from queue import SimpleQueue


def told_to_end() -> Callable[[], object]:
    """From now on Ctrl-C and SIGTERM are kept, and what is returned waits for one of them, or for none if one came already.

    A SimpleQueue may be filled by a signal at any moment. An Event may not: one that is set while its own waiting begins
    waits for its own lock, for ever.
    """
    told: SimpleQueue[int] = SimpleQueue()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda number, _: told.put(number))
    return told.get
