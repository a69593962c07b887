"""The recorder's thread: in order, bounded, never waited for; what is not on tape is said to be."""

import threading
import time
from types import SimpleNamespace

import pytest

from gateway.model.inbound import Chunk, Moment, Tick
from gateway.transport import recorder as recorders
from gateway.transport import recording, tape
from gateway.transport.recorder import Recorder
from gateway.transport.recording import Recording
from gateway.transport.tape import TapeHeader, read_tape

HEADER = TapeHeader(station="kust", ports={})


def chunk(ordinal, port="one"):
    return Chunk(port, Moment(ordinal), b"%d" % ordinal)


def recorder_in(folder, **limits):
    limits = {"rotate_bytes": 10**6, "keep_bytes": 10**7, **limits}
    return Recorder(folder, lambda: HEADER, **limits)


def on_tapes(folder):
    """Return all that is on the tapes of a folder, in order."""
    return [heard for path in sorted(folder.iterdir()) for heard in read_tape(path)[1]]


class Stuck:
    """A recorder on a card that hangs until a test lets it go."""

    def __init__(self):
        self.gate = threading.Event()
        self.took = []
        self.records_lost = 0
        self.last_error = None
        self.closed = False

    def write(self, heard):
        self.gate.wait()
        self.took.append(heard)

    def close(self):
        self.closed = True


@pytest.fixture
def stuck():
    stuck = Stuck()
    yield stuck
    stuck.gate.set()


def until(found):
    end = time.monotonic() + 5
    while not found():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_what_was_heard_is_on_tape_in_its_order(tmp_path):
    heard = [Tick(Moment(n)) if n % 3 == 0 else chunk(n, f"p{n % 2}") for n in range(500)]
    to_tape = Recording(recorder_in(tmp_path))
    for one in heard:
        to_tape.write(one)
    to_tape.close()

    assert on_tapes(tmp_path) == heard
    assert (to_tape.records_lost, to_tape.last_error) == (0, None)


def test_a_card_that_hangs_holds_nobody_up_and_what_is_lost_is_counted_and_marked(
    stuck, monkeypatch
):
    monkeypatch.setattr(recording, "WAITING_MAX", 4)
    to_tape = Recording(stuck)
    to_tape.write(chunk(0))
    until(to_tape._waiting.empty)
    began = time.perf_counter()
    for n in range(1, 5):
        to_tape.write(chunk(n, "two" if n == 2 else "one"))
    assert to_tape.last_error is None
    for one in (chunk(5), Tick(Moment(6)), chunk(7)):
        to_tape.write(one)
    took_s = time.perf_counter() - began
    assert to_tape.last_error == "the disk is too slow: 4 records wait for it"
    stuck.gate.set()
    until(to_tape._waiting.empty)
    for one in (Tick(Moment(8)), chunk(9, "two"), chunk(10), chunk(11)):
        to_tape.write(one)
    to_tape.close()

    assert took_s < 0.05
    assert (to_tape.records_lost, to_tape.last_error) == (3, None)
    assert [(one.port, one.gap) for one in stuck.took[5:] if isinstance(one, Chunk)] == [
        ("two", False),
        ("one", True),
        ("one", False),
    ]
    assert len(stuck.took) == 9
    assert stuck.closed


def test_a_card_that_hangs_does_not_keep_the_program_from_ending(stuck, monkeypatch):
    monkeypatch.setattr(recording, "WAITING_MAX", 1)
    monkeypatch.setattr(recording, "CLOSE_S_MAX", 0.02)
    to_tape = Recording(stuck)
    to_tape.write(chunk(0))
    until(to_tape._waiting.empty)
    to_tape.write(chunk(1))
    began = time.monotonic()
    to_tape.close()

    assert time.monotonic() - began < 1.0
    assert not stuck.closed


def test_a_fault_of_ours_costs_a_record_and_is_said(tmp_path):
    recorder = recorder_in(tmp_path)
    whole = recorder.write

    def faulty(heard):
        if heard == chunk(2):
            raise ValueError(heard.port)
        whole(heard)

    recorder.write = faulty
    to_tape = Recording(recorder)
    for n in range(1, 4):
        to_tape.write(chunk(n))
    to_tape.close()

    assert on_tapes(tmp_path) == [chunk(1), chunk(3)]
    assert (to_tape.records_lost, to_tape.last_error) == (1, "ValueError('one')")


def test_what_the_disk_refuses_leaves_a_gap_on_the_next_tape(tmp_path, monkeypatch):
    monkeypatch.setattr(recorders, "RETRY_NS", 2)
    recorder = recorder_in(tmp_path)
    recorder.write(chunk(1))
    with monkeypatch.context() as patch:
        patch.setattr(tape.TapeWriter, "write", _refuses)
        recorder.write(chunk(2))
    recorder.write(Tick(Moment(3)))
    for n, port in enumerate(("one", "two", "one"), start=5):
        recorder.write(chunk(n, port))
    recorder.close()

    assert [(one.heard.mono_ns, one.gap) for one in on_tapes(tmp_path)] == [
        (1, False),
        (5, True),
        (6, False),
        (7, False),
    ]
    assert recorder.records_lost == 2


def _refuses(_self, _heard):
    raise OSError(5, "Input/output error")


def test_tapes_give_way_before_the_disk_is_full(tmp_path, monkeypatch):
    """What is left is for the journal."""
    free = {"bytes": 1000}
    folder = tmp_path / "tapes"
    monkeypatch.setattr(
        recorders.os, "statvfs", lambda _folder: SimpleNamespace(f_bavail=free["bytes"], f_frsize=1)
    )
    monkeypatch.setattr(recorders, "RETRY_NS", 2)
    recorder = recorder_in(folder, spare_bytes=1000)
    recorder.write(chunk(1))
    assert recorder.last_error is None
    free["bytes"] = 999
    recorder.write(chunk(2))
    assert "spared" in recorder.last_error
    recorder.write(chunk(10))
    free["bytes"] = 1000
    recorder.write(chunk(20))
    recorder.close()

    assert (recorder.records_lost, recorder.last_error) == (2, None)
    assert len(list(folder.iterdir())) == 2, "no empty tape for each try"


def test_a_tape_that_could_not_be_begun_leaves_no_file_behind(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tape.TapeWriter, "_put", lambda _self, _packed: _refuses(None, None))
        recorder = recorder_in(tmp_path)
        recorder.write(chunk(1))

    assert recorder.records_lost == 1
    assert not list(tmp_path.iterdir())
