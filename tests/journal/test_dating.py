"""What a journal says of its own dates, where some of it says nothing that is understood."""

from datetime import UTC, datetime

from gateway.clock import Clock
from gateway.journal.dating import dating_of
from gateway.journal.rows import ENTRY, Row, row_of
from gateway.journal.store import Disk
from gateway.model.entry import Lane
from gateway.model.inbound import ClockOffset
from gateway.model.plan import JournalPlan
from gateway.model.words import ClockState

OFFSET = ClockOffset(
    boot="b1",
    mono_first_ns=0,
    mono_ns=10,
    utc=datetime(2026, 12, 1, tzinfo=UTC),
    offset_s=1.0,
    source=ClockState.GNSS,
    error_ms=5,
)


def test_what_is_damaged_or_not_understood_is_dated_by_nothing_and_costs_nobody_else(tmp_path):
    path = str(tmp_path / "journal.db")
    disk = Disk(JournalPlan(path=path), station="kust", links=("shore",), clock=Clock())
    rows = [row_of(OFFSET), Row(None, Lane.SAFETY, ENTRY, b"\xc1")]
    disk.write([lambda: disk.append([*rows, Row(None, Lane.SAFETY, ENTRY, b"")])])
    disk.write([lambda: disk._db.execute("UPDATE entry SET body = x'00' WHERE number = 3")])
    disk.close()

    dating = dating_of(path)

    assert (dating.offsets, dating.redated) == (1, 0)
