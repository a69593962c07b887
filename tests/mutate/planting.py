"""Small faults in a module's functions: which there are, and the module with one of them in it.

The kinds are those of mutmut 3, nearly all of them: a number is one more, a word has other ends, a
comparison takes or leaves its limit, a sign turns, `and` is `or`, `not` is gone, an argument is
None or left out, a name is given None, a loop ends where it would go on.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType

_COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COUNTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Div,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_CALLED = {
    one: other
    for pair in (
        ("lower", "upper"),
        ("lstrip", "rstrip"),
        ("find", "rfind"),
        ("index", "rindex"),
        ("ljust", "rjust"),
        ("partition", "rpartition"),
        ("removeprefix", "removesuffix"),
    )
    for one, other in (pair, pair[::-1])
}
_READ_ALONE = ast.stmt | ast.excepthandler | ast.match_case
_UNTOUCHED = {"annotation", "returns", "decorator_list", "type_comment", "keywords"}
"""What a type checker reads; a call's named arguments are gone through with the call."""

Change = tuple[ast.AST, Callable[[], Callable[[], None]], ast.AST | None]
"""The statement, or the head of one, in which a change is read; what makes it in the tree, and
returns what takes it out again; and the statement that then stands there, if it is another."""


@dataclass(frozen=True)
class Fault:
    """One fault: where it is, and what was and is now written there."""

    path: str
    function: str
    lines: tuple[int, int]
    was: str
    now: str
    turn: int
    """Which of those that read the same in this function."""
    number: int
    """Which of its module."""

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What names it as long as its line stands as it is."""
        return self.path, self.function, self.was, self.now, self.turn


class Module:
    """A module's tree, with all faults that can be planted into its functions."""

    def __init__(self, root: Path, path: str) -> None:
        self.path = path
        self._file = root / path
        self._tree = ast.parse(self._file.read_text(encoding="utf-8"))
        self._changes: list[Callable[[], Callable[[], None]]] = []
        self.faults: list[Fault] = []
        for scope, function in _functions(self._tree, ()):
            self._find(".".join(scope), function)

    def planted(self, fault: Fault) -> CodeType:
        """Return the module's code with this fault in it."""
        restore = self._changes[fault.number]()
        try:
            return compile(ast.fix_missing_locations(self._tree), str(self._file), "exec")
        finally:
            restore()

    def _find(self, name: str, function: ast.FunctionDef) -> None:
        turns: dict[tuple[str, str], int] = {}
        for unit, change, instead in _changes_in(function, function):
            was = _written(unit)
            restore = change()
            now = _written(instead or unit)
            restore()
            turn = turns[was, now] = turns.get((was, now), -1) + 1
            lines = _first_line(unit), _last_line(unit)
            self._changes.append(change)
            self.faults.append(
                Fault(self.path, name, lines, was, now, turn, number=len(self.faults))
            )


def _functions(
    tree: ast.AST, scope: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], ast.FunctionDef]]:
    """Yield each function and method with its qualified name; those within are part of it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield (*scope, node.name), node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, (*scope, node.name))


def _changes_in(node: ast.AST, unit: ast.AST) -> Iterator[Change]:
    for field, value in ast.iter_fields(node):
        if field in _UNTOUCHED:
            continue
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            inner = child if isinstance(child, _READ_ALONE) else unit
            at = place if isinstance(value, list) else None
            for other in _others(child, node):
                instead = other if isinstance(other, ast.stmt) else None
                yield inner, partial(_put, node, field, at, other), instead
            yield from _arguments(child, inner)
            yield from _changes_in(child, inner)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put(node: ast.AST, field: str, place: int | None, other: ast.AST) -> Callable[[], None]:
    """Put something else in a node's place."""
    if place is None:
        before = getattr(node, field)
        setattr(node, field, other)
        return lambda: setattr(node, field, before)
    children = getattr(node, field)
    before = children[place]
    children[place] = other
    return lambda: children.__setitem__(place, before)


def _arguments(call: ast.AST, unit: ast.AST) -> Iterator[Change]:
    """Yield a call with each argument being None, and without each named one."""
    if not isinstance(call, ast.Call):
        return
    for place, given in enumerate(call.args):
        if not isinstance(given, ast.Starred) and not _is_plain(given):
            yield unit, partial(_put, call, "args", place, ast.Constant(None)), None
    for named in call.keywords:
        if named.arg and not _is_plain(named.value):
            yield unit, partial(_put, named, "value", None, ast.Constant(None)), None
        rest = [one for one in call.keywords if one is not named]
        yield unit, partial(_put, call, "keywords", None, rest), None
        for other in _others(named.value, named):
            yield unit, partial(_put, named, "value", None, other), None
        yield from _arguments(named.value, unit)
        yield from _changes_in(named.value, unit)


def _is_flag(node: ast.AST) -> bool:
    """Say whether it is True or False: it is turned round, and None would be False."""
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _is_plain(node: ast.AST) -> bool:
    return _is_flag(node) or _is_none(node)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _others(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place by mistake."""
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.Constant):
        if not isinstance(parent, ast.JoinedStr):
            yield from map(ast.Constant, _constants(node.value))
    elif isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            turned = [*node.ops[:place], _COMPARED[type(op)](), *node.ops[place + 1 :]]
            yield ast.Compare(node.left, turned, node.comparators)
    else:
        yield from _expressions(node, parent)


def _expressions(node: ast.AST, parent: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COUNTED:
            yield ast.BinOp(left, _COUNTED[type(op)](), right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.Attribute(value=value, attr=attr, ctx=ctx) if attr in _CALLED:
            if isinstance(parent, ast.Call):
                yield ast.Attribute(value, _CALLED[attr], ctx)
        case ast.Lambda(args=args, body=body) if not _is_none(body):
            yield ast.Lambda(args, ast.Constant(None))


def _constants(value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield f"XX{value}XX"
        case bytes():
            yield b"XX" + value + b"XX"


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what may stand in a statement's place, where it stands."""
    yield from (ast.copy_location(other, node) for other in _other_statements(node))


def _other_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            if type(op) in _COUNTED:
                yield ast.AugAssign(target, _COUNTED[type(op)](), value)
            yield ast.Assign([target], value)
        case ast.Assign(targets=targets, value=value) if not _is_flag(value):
            yield ast.Assign(targets, _instead(value))
        case ast.AnnAssign(target=target, annotation=kind, value=ast.expr() as value, simple=plain):
            if not _is_flag(value):
                yield ast.AnnAssign(target, kind, _instead(value), plain)
        case ast.Break():
            yield ast.Return(None)
        case ast.Continue():
            yield ast.Break()


def _instead(value: ast.expr) -> ast.expr:
    """Return what a name is given by mistake."""
    return ast.Constant("" if _is_none(value) else None)


def _written(unit: ast.AST) -> str:
    """Return a statement without those within it."""
    lines = ast.unparse(unit).splitlines()
    return lines[0] if hasattr(unit, "body") or isinstance(unit, ast.Match) else " ".join(lines)


def _first_line(unit: ast.AST) -> int:
    return unit.pattern.lineno if isinstance(unit, ast.match_case) else unit.lineno


def _last_line(unit: ast.AST) -> int:
    """Return where the head of a statement ends, or all of one that has nothing within."""
    if isinstance(unit, ast.Match):
        return unit.subject.end_lineno
    body = getattr(unit, "body", None)
    return max(_first_line(unit), body[0].lineno - 1) if body else unit.end_lineno
