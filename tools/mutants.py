"""What `tools/mutate.py` changes: one small mistake at a time, from the syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

# Comparisons: the bound itself changes sides; then all of it
BOUND = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITE = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
PAIRS = (
    ("min", "max"), ("any", "all"), ("least", "most"), ("minimum", "maximum"),
    ("argmin", "argmax"), ("sin", "cos"), ("floor", "ceil"),
)  # fmt: skip
NAMES = {a: b for one, two in PAIRS for a, b in ((one, two), (two, one))}
RUNGS = ("PASS", "WARN", "SLOW", "HOLD", "RETREAT", "SETTLE")


@dataclass(frozen=True)
class Mutant:
    """One mistake: bytes `start` to `end` of a file become `new`."""

    file: str
    line: int
    kind: str
    start: int
    end: int
    old: str
    new: str

    @property
    def key(self) -> str:
        """Names it among all mutants of the same source."""
        return f"{self.file}:{self.line}:{self.start}:{self.end}:{self.new}"

    def applied(self, source: bytes) -> bytes:
        """The source with the mistake in it."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def mutants_of(source: bytes, file: str) -> list[Mutant]:
    """All mutants of a file, in its order."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node in _live(ast.parse(source)):
        for kind, place, new in _changes(node):
            start = starts[place.lineno - 1] + place.col_offset
            end = starts[place.end_lineno - 1] + place.end_col_offset
            old = source[start:end].decode()
            found.append(Mutant(file, place.lineno, kind, start, end, old, new))
    return found


def _live(node: ast.AST) -> Iterator[Any]:
    """What decides at run time: without annotations, decorators, asserts, messages.

    Asserts are left out because those of the source speak to the type checker.
    """
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(
                child, ast.Assert | ast.JoinedStr
            ):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield child
            yield from _live(child)


def _changes(node: Any) -> Iterator[tuple[str, Any, str]]:
    """Kind, place and text of each mistake that can be made at a node."""
    for kind, make in MAKERS.items():
        for changed in make(node):
            text = changed if isinstance(changed, str) else ast.unparse(changed)
            is_part = isinstance(node, ast.expr) and not isinstance(changed, str)
            yield kind, node, f"({text})" if is_part else text
    if isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(
        node.test, ast.Name | ast.Attribute | ast.Call
    ):
        yield "boolean", node.test, f"(not {ast.unparse(node.test)})"


def _with(node: Any, **fields: object) -> Any:
    """A changed copy."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _comparison(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.Compare):
        for k, operator in enumerate(node.ops):
            for table in (BOUND, OPPOSITE):
                if type(operator) in table:
                    ops = [*node.ops]
                    ops[k] = table[type(operator)]()
                    yield _with(node, ops=ops)


def _arithmetic(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def _boolean(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)


def _constant(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield str(not value)
        elif isinstance(value, int):
            yield str(value + 1)
        elif isinstance(value, float):
            yield repr(value * 1.25 if value else 1.0)


def _name(node: Any) -> Iterator[Any]:
    """Another function: the whole call, since a variable may have such a name."""
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name) and function.id in NAMES:
            yield _with(node, func=_with(function, id=NAMES[function.id]))
        elif isinstance(function, ast.Attribute) and function.attr in NAMES:
            yield _with(node, func=_with(function, attr=NAMES[function.attr]))


def _rung(node: Any) -> Iterator[Any]:
    """A rung one step milder, and one step stricter."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Rung":
        k = RUNGS.index(node.attr)
        for other in {max(k - 1, 0), min(k + 1, len(RUNGS) - 1)} - {k}:
            yield _with(node, attr=RUNGS[other])


def _statement(node: Any) -> Iterator[str]:
    """A statement that is left out."""
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    is_write = isinstance(node, ast.Assign) and all(
        isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets
    )
    if (
        is_call
        or is_write
        or isinstance(node, ast.AugAssign | ast.Continue | ast.Raise)
    ):
        yield "pass"


def _return(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Return) and not isinstance(node.value, ast.Constant | None):
        yield "return None"


MAKERS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "comparison": _comparison,
    "arithmetic": _arithmetic,
    "boolean": _boolean,
    "constant": _constant,
    "name": _name,
    "rung": _rung,
    "statement": _statement,
    "return": _return,
}
