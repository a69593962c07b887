"""Named points on the way of a report, at which a test may have the program die, wait or fail.

On watch nobody listens, and a point costs one look at an empty list. Nothing in the house may
listen: that is for tests alone, which come in from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

POINTS = {
    "port.opened": "a port has been opened",
    "port.read": "bytes have come in, and nobody has them but the program",
    "port.write_begun": "bytes are about to go to a modem",
    "port.written": "the modem's port has taken them",
    "hallway.entered": "a chunk is about to go through the rooms",
    "hallway.left": "its items are in memory",
    "tape.written": "the tape has what was heard",
    "tape.rotated": "a full tape was closed, the next not begun",
    "journal.named": "a new file has its name, which is not committed yet",
    "journal.migrated": "a file has been brought one schema further",
    "journal.mended": "all that is kept is owed anew to a link, and not committed yet",
    "journal.linked_aside": "a damaged file has its second name, and still its first",
    "journal.set_away": "a damaged file has lost its first name, its log not yet",
    "journal.taken_over": "what it still owed has new numbers, and is not committed yet",
    "journal.opened": "the journal can take items",
    "journal.begun": "a transaction has begun",
    "journal.appended": "rows are in the transaction",
    "journal.struck": "receipts are in the transaction",
    "journal.tidied": "what has had its time is out of the transaction",
    "journal.sealed": "all of the transaction is done but COMMIT",
    "journal.committed": "the disk has it, and nobody has been told",
    "journal.remembered": "what rooms remember is in its table, and not committed yet",
    "journal.set_aside": "a damaged row is in quarantine, and not committed yet",
    "journal.settled": "whoever handed items over knows their numbers",
    "journal.closing": "nothing more is taken, and the file is still open",
    "rules.begun": "rules have taken up what they remembered, and judged what waited",
    "told.journaled": "an entry on disk is about to be handed to the links",
    "told.unjournaled": "an entry that the disk did not take is about to be handed to the links",
    "told.afterwards": "an entry that the disk took in the end is about to be told once more",
    "link.connected": "a broker has answered",
    "outbox.read": "entries to tell have been read from the disk",
    "publish.begun": "a publication is about to go to the broker",
    "publish.sent": "it is written, and not signed for",
    "publish.signed": "the broker has signed for it",
    "outbox.signed": "entries may be struck out",
    "outbox.struck": "they are struck out",
    "state.told": "a retained state stands on the broker",
    "place.offered": "the last known place of a craft has been handed over",
    "receipt.heard": "a consumer's receipt has come in",
    "receipt.struck": "what it names is struck out, and the broker does not know that we have it",
    "receipt.acknowledged": "the broker knows",
    "request.heard": "a consumer asks for a range of numbers",
    "request.answered": "the answer is told to its end",
    "command.heard": "an operator's command has come in",
    "command.answered": "what came of it has been told, as far as it could be",
    "certificates.taken": "new certificates have been proven, and no connection bears them yet",
    "transmit.intended": "what is to be transmitted is with the disk, and not committed yet",
    "transmit.committed": "the disk has it with every verdict, and no byte has left",
    "transmit.handed": "the port has taken every byte, or has failed, and nobody knows it",
    "transmit.ended": "what became of it is with the disk, and not committed yet",
    "incidents.restored": "what stood when the last run ended stands again",
    "watch.ended": "the watch is over, and the journal still open",
}
"""Every point there is, and what is true when it is reached."""

_LISTENERS: list[Callable[[str], None]] = []


def reached(point: str) -> None:
    """Say that the program has come to this point."""
    for listener in _LISTENERS:
        listener(point)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Call this at each point, in the thread that reaches it; what it raises is raised there."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)
