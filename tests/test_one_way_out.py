"""No call path leads to a transmitter but one: the gate's permit, the port's `transmit`, its wire.

The source is walked whole: each name that could hand bytes to a wire, or raise the line that keys a
transmitter, called or handed around, stands where it is expected, or nowhere. That the finder finds
is proven with planted breaches.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway

ROOT = Path(gateway.__file__).parent
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
}

WRITERS = {
    *("write", "writelines", "writev", "pwrite", "pwritev", "splice", "write_eof"),
    *("send", "sendall", "sendto", "sendmsg", "sendfile", "sock_sendall", "sock_sendto"),
}
"""What hands bytes to a descriptor, a socket, a stream or a wire."""

INSIDE = {
    ("transport/recorder.py", "Recorder.write", "tape.write"): "a file",
    ("transport/recording.py", "Recording._run", "self._recorder.write"): "a file",
    ("transport/serial.py", "SerialWire._push", "os.write"): "of SerialWire.write alone",
    ("transport/supervisor.py", "Port.transmit", "wire.write"): "the one way out",
    ("transport/tape.py", "TapeWriter._put", "self._file.write"): "a file",
    ("transport/tcp.py", "TcpWire.write", "self._writer.write"): "is Wire.write",
}
"""Everything in the transport that hands on bytes, and whose it is."""

RAW_OUTSIDE = {
    ("health/notify.py", "Notify._tell", "self._socket.sendto"): "to systemd",
    ("verbs/virtual.py", "VirtualModems._speak", "os.write"): "the modem's end of a virtual wire",
}
"""What writes to a descriptor or a socket outside the transport."""

KEYS = {
    *("ioctl", "TIOCMBIS", "TIOCMSET", "rts", "dtr", "setRTS", "setDTR", "rs485_mode"),
    *("tcsendbreak", "send_break", "break_condition", "TIOCSBRK", "TCSBRK"),
    *("TerminalLine", "key_line", "keyed"),
}
"""What could raise a line of a port, and what the house has made of it."""

KEYING = {
    ("transport/keying.py", "TerminalLine.set", "fcntl.ioctl"): "raises the line, or drops it",
    ("transport/keying.py", "TerminalLine.set", "termios.TIOCMBIS"): "raises it",
    ("transport/keying.py", "lines_high", "fcntl.ioctl"): "only asks",
    ("transport/keying.py", "Keyer.keyed", "key.key_line"): "of Port.transmit alone",
    ("transport/serial.py", "", "TerminalLine"): "imported",
    ("transport/serial.py", "SerialWire.key_line", "TerminalLine"): "of Keyer.keyed alone",
    ("transport/serial.py", "_opened", "port.rts"): "low before it is opened",
    ("transport/serial.py", "_opened", "port.dtr"): "low before it is opened",
    ("transport/serial.py", "_claim", "fcntl.ioctl"): "locks the port",
    ("transport/serial.py", "_shut", "fcntl.ioctl"): "unlocks it",
    ("transport/supervisor.py", "Port.transmit", "self._keyer.keyed"): "the one who keys",
}
"""Everything that has to do with a line, and what it does there."""

TRANSMITTING = "app/transmitting.py"
"""The only module that may hold a port's `transmit`."""

STATES = ("profile", "state", "link", "plan", "self", "standing", "told", "now")
"""Whose `.transmit` is a word and no call."""

WAYS = ("Way", "Wire", "way_of")
PARTS = {"_wire", "_way", "_leave", "_port", "_fd"}
"""What a port and a wire are made of; nobody reaches for that of another."""


def places(tree: ast.AST, where: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.AST]]:
    """Yield each node with the name of what it stands in."""
    for node in ast.iter_child_nodes(tree):
        inner = where
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = (*where, node.name)
        yield ".".join(inner), node
        yield from places(node, inner)


def named(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield where an attribute of such a name stands, called or not, and what it reads."""
    for where, node in places(tree):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield where, ast.unparse(node)


def writes_inside(trees: dict[str, ast.Module]) -> set[tuple[str, str, str]]:
    """Return everything in the transport that hands on bytes."""
    return {
        (path, where, words)
        for path, tree in trees.items()
        if path.startswith("transport/")
        for where, words in named(tree, WRITERS)
    }


def raw_outside(trees: dict[str, ast.Module]) -> set[tuple[str, str, str]]:
    """Return what writes to a descriptor or a socket outside of it."""
    return {
        (path, where, words)
        for path, tree in trees.items()
        if not path.startswith("transport/")
        for where, words in named(tree, WRITERS)
        if words.startswith("os.") or not words.endswith((".write", ".writelines"))
    }


def reaching_in(trees: dict[str, ast.Module]) -> list[str]:
    """Return who outside the transport knows a wire, or reaches into a port for it."""
    return [
        f"{path}: {words}"
        for path, tree in trees.items()
        if not path.startswith("transport/")
        for _, node in places(tree)
        for words in wires_in(node)
    ]


def wires_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gateway.transport"):
        yield from (found.name for found in node.names if found.name.endswith(WAYS))
    if isinstance(node, ast.Attribute) and node.attr in PARTS and ast.unparse(node.value) != "self":
        yield ast.unparse(node)


def transmits(trees: dict[str, ast.Module]) -> list[str]:
    """Return who else holds the `transmit` of a port, or asks for it by a name in a string."""
    return [
        f"{path}: {words}"
        for path, tree in trees.items()
        if path != TRANSMITTING
        for _, node in places(tree)
        for words in transmits_in(node)
    ]


def transmits_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr == "transmit":
        yield from () if ast.unparse(node.value).endswith(STATES) else (ast.unparse(node),)
    if isinstance(node, ast.Call):
        words = ast.unparse(node.func)
        if words.endswith(".transmit"):
            yield ast.unparse(node)
        by_name = words in {"getattr", "operator.methodcaller", "methodcaller"}
        if by_name and {"transmit", "write"} & {
            arg.value for arg in node.args if isinstance(arg, ast.Constant)
        }:
            yield ast.unparse(node)


def permits(trees: dict[str, ast.Module]) -> list[str]:
    """Return who makes a permit, or has what it takes to make one, beside the gate."""
    return [
        f"{path}: {words}"
        for path, tree in trees.items()
        if path != "rules/permit.py"
        for _, node in places(tree)
        for words in permits_in(path, node)
    ]


def permits_in(path: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        words = ast.unparse(node.func)
        made = words.rpartition(".")[2] in {"Permit", "_Seal", "__new__"}
        if made or (words.rpartition(".")[2] == "permitted" and path != "rules/docket.py"):
            yield ast.unparse(node)
    if isinstance(node, ast.ClassDef) and "Permit" in map(ast.unparse, node.bases):
        yield node.name
    if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).endswith(
        ("_SEAL", "_Seal")
    ):
        yield ast.unparse(node)


def keyings(trees: dict[str, ast.Module]) -> set[tuple[str, str, str]]:
    """Return everything that could raise a line that keys a transmitter, or sends a break."""
    return {
        (path, where, words)
        for path, tree in trees.items()
        for where, node in places(tree)
        for words in keyings_in(node)
    }


def keyings_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in KEYS:
        yield ast.unparse(node)
    if isinstance(node, ast.Name) and node.id in KEYS:
        yield node.id
    if isinstance(node, ast.ImportFrom):
        yield from (found.name for found in node.names if found.name in KEYS)
    if isinstance(node, ast.Constant) and node.value in KEYS - {"rts", "dtr"}:
        yield repr(node.value)


def test_bytes_leave_the_transport_in_one_place_alone():
    assert writes_inside(TREES) == set(INSIDE)


def test_nobody_else_writes_to_a_descriptor():
    assert raw_outside(TREES) == set(RAW_OUTSIDE)


def test_nobody_else_knows_a_wire():
    assert not reaching_in(TREES)


def test_nobody_else_has_a_port_transmit():
    assert not transmits(TREES)


def test_nobody_but_the_gate_makes_a_permit():
    assert not permits(TREES)


def test_a_wire_is_pushed_by_its_own_write_alone():
    """What gives the kernel bytes is no other method's business."""
    asked = set(named(TREES["transport/serial.py"], {"_push"}))

    assert asked == {("SerialWire.write", "self._push")}


def test_a_line_is_raised_in_one_place_alone():
    assert keyings(TREES) == set(KEYING)


def test_both_lines_are_set_low_before_a_port_is_opened():
    """And nowhere else set to anything: pyserial raises them unless it is told not to."""
    told = [
        ast.unparse(node)
        for _, node in places(TREES["transport/serial.py"])
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith((".rts", ".dtr"))
    ]

    assert told == ["port.rts = False", "port.dtr = False"]


def test_the_permit_is_taken_before_anything_is_keyed():
    (transmit,) = (
        node
        for where, node in places(TREES["transport/supervisor.py"])
        if where == "Port.transmit" and isinstance(node, ast.AsyncFunctionDef)
    )
    lines = {
        ast.unparse(node.func): node.lineno
        for node in ast.walk(transmit)
        if isinstance(node, ast.Call)
    }

    assert lines["self._leave.take"] < lines["self._keyer.keyed"] < lines["wire.write"]


BREACHES = [
    (writes_inside, "transport/sly.py", "def beat(wire):\n    return wire.write(b'')"),
    (writes_inside, "transport/sly.py", "hand = os.write"),
    (writes_inside, "transport/sly.py", "line.sendall(b'')"),
    (keyings, "app/sly.py", "port._wire.key.key_line().set(high=True)"),
    (keyings, "app/sly.py", "fcntl.ioctl(3, 0x5416, bits)"),
    (keyings, "app/sly.py", "from termios import TIOCMBIS"),
    (keyings, "app/sly.py", "getattr(termios, 'TIOCMSET')"),
    (keyings, "transport/sly.py", "line = TerminalLine(3, 'rts')"),
    (keyings, "transport/serial.py", "port.dtr = True"),
    (keyings, "transport/sly.py", "port.send_break()"),
    (keyings, "transport/sly.py", "hand = self._keyer.keyed"),
    (raw_outside, "app/sly.py", "os.writev(3, [b''])"),
    (raw_outside, "mqtt/sly.py", "line.send(b'')"),
    (reaching_in, "app/sly.py", "port._wire.write(b'')"),
    (reaching_in, "app/sly.py", "from gateway.transport.serial import SerialWire"),
    (reaching_in, "app/sly.py", "from gateway.transport.opening import way_of"),
    (transmits, "app/sly.py", "port.transmit(permit, b'')"),
    (transmits, "app/sly.py", "state.transmit(permit, b'')"),
    (transmits, "app/sly.py", "out = self._ports['a'].transmit"),
    (transmits, "app/sly.py", "getattr(port, 'transmit')(permit, b'')"),
    (permits, "app/sly.py", "Permit(seal, request_id='r')"),
    (permits, "app/sly.py", "permit.Permit(seal)"),
    (permits, "app/sly.py", "object.__new__(Permit)"),
    (permits, "app/sly.py", "class Own(Permit):\n    pass"),
    (permits, "app/sly.py", "permitted('r', gated, load, 0)"),
    (permits, "app/sly.py", "seal = permit._SEAL"),
]


@pytest.mark.parametrize(("finder", "path", "line"), BREACHES, ids=[line for *_, line in BREACHES])
def test_a_planted_breach_is_found(finder, path, line):
    assert finder({path: ast.parse(line)})
