"""A program of several modules as one: every definition that it uses, in the order of the imports, in its own words.

Only names change: `figures.canvas` becomes `canvas`, and where several modules define a name, all but the last of them
get the module's name in front.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from experiments.runner.errors import UsageError

MAIN, TEXT = "__main__", "TEXT"
#: the packages and modules that are taken in; all others stay imports
INLINED = ("experiments", "minigrad.vision", "minigrad.optim.penalty")
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Import = ast.Import | ast.ImportFrom


class Symbol(NamedTuple):
    """A name that a module defines; the module itself, with no name; or an import, with no module."""

    module: str
    name: str


@dataclass(eq=False)
class Statement:
    """A statement, with the comments above it and the description below it: lines from `first` to before `end`."""

    module: str
    node: ast.stmt
    lines: list[bytes]  #: of its module
    first: int
    end: int


def _imports(node: Import) -> Iterator[tuple[str, Symbol]]:
    """The names that an import binds, and what they stand for."""
    for alias in node.names:
        name = alias.asname or alias.name.split(".")[0]
        if isinstance(node, ast.Import):
            inlined = alias.name.startswith(INLINED)
            yield name, Symbol(alias.name, "") if inlined else Symbol("", ast.unparse(ast.Import([alias])))
        elif not str(node.module).startswith(INLINED):
            yield name, Symbol("", ast.unparse(ast.ImportFrom(node.module, [alias], 0)))
        elif hasattr(importlib.import_module(str(node.module)), "__path__"):  # a package, whose names are modules
            yield name, Symbol(f"{node.module}.{alias.name}", "")
        else:
            yield name, Symbol(str(node.module), alias.name)


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that are bound in a statement or a scope, but in no scope inside it."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, Import):
            yield from (name for name, _ in _imports(inner))
        elif isinstance(inner, ast.arg):
            yield inner.arg
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif not isinstance(inner, SCOPES):
            yield from _bound(inner)


class Program:
    """The statements that a program uses, in the order of its imports.

    Args:
        text: of its main module.
        instead: for a symbol the module that defines another one of the same name in its place.
    """

    def __init__(self, text: str, instead: Mapping[Symbol, str]) -> None:
        self.instead = instead
        self.titles: dict[str, str] = {}  # of the modules
        self.statements: list[Statement] = []
        self.defined: dict[Symbol, Statement] = {}
        self.imported: dict[Symbol, Symbol] = {}
        self._read(MAIN, text)
        self.uses: dict[Statement, list[tuple[ast.AST, Symbol, frozenset[str]]]] = {}
        todo = [statement for statement in self.statements if statement.module == MAIN]
        while todo:
            if (statement := todo.pop()) not in self.uses:
                self.uses[statement] = [*self._references(statement.module, statement.node)]
                todo += [self.defined[symbol] for _, symbol, _ in self.uses[statement] if symbol.module]
        self.references = [reference for found in self.uses.values() for reference in found]
        self.imports = sorted({symbol.name for _, symbol, _ in self.references if not symbol.module})
        self.names = self._names()

    def _read(self, module: str, text: str) -> None:
        self.titles[module], lines, end = "", text.encode().splitlines(keepends=True), 0
        found: list[Statement] = []
        for node in ast.parse(text).body:
            first, end = end, node.end_lineno or 0
            inside = node.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" else [node]
            imports = [inner for inner in inside if isinstance(inner, Import)]
            for name, symbol in (pair for inner in imports for pair in _imports(inner)):
                self.imported[Symbol(module, name)] = symbol
                if symbol.module and symbol.module not in self.titles:
                    self._read(symbol.module, inspect.getsource(importlib.import_module(symbol.module)))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                if found:
                    found[-1].end = end
                else:
                    self.titles[module] = str(node.value.value).splitlines()[0]
            elif not imports:
                found.append(Statement(module, node, lines, first, end))
                names = _bound(ast.Module([node], []))
                self.defined.update((Symbol(module, name), found[-1]) for name in names)
        self.statements += found

    def _resolve(self, symbol: Symbol) -> Symbol | None:
        symbol = Symbol(self.instead.get(symbol, symbol.module), symbol.name)
        if symbol.name == "__file__":
            return Symbol(MAIN, TEXT)
        if symbol in self.defined:
            return symbol
        found = self.imported.get(symbol)
        return self._resolve(found) if found and found.module and found.name else found

    def _references(
        self, module: str, node: ast.AST, hidden: frozenset[str] = frozenset()
    ) -> Iterator[tuple[ast.AST, Symbol, frozenset[str]]]:
        """The places that use a symbol, and the local names there, which hide others."""
        hidden = hidden | {*_bound(node)} if isinstance(node, SCOPES) else hidden

        def target(node: ast.AST) -> Symbol | None:
            if isinstance(node, ast.Name) and node.id not in hidden:
                return self._resolve(Symbol(module, node.id))
            if isinstance(node, ast.Attribute) and (base := target(node.value)) and not base.name:
                return self._resolve(Symbol(base.module, node.attr))
            return None

        if (found := target(node)) is None:
            for child in ast.iter_child_nodes(node):
                yield from self._references(module, child, hidden)
        elif not found.name:
            raise UsageError(f"{module}: {found.module} is used as a value; name what is used of it")
        else:
            yield node, found, hidden

    def _names(self) -> dict[Symbol, str]:
        """The name of each definition in the one file: the last module's is the plain one."""
        taken = {line.split()[-1].split(".")[0] for line in self.imports}
        names: dict[Symbol, str] = {}
        for symbol in [symbol for symbol, statement in self.defined.items() if statement in self.uses][::-1]:
            local = {name for _, used, hidden in self.references if used == symbol for name in hidden}
            parts = symbol.module.split(".")
            choices = [symbol.name, *(f"{'_'.join(parts[-n:])}_{symbol.name.lstrip('_')}" for n in range(1, 4))]
            names[symbol] = next(choice for choice in choices if choice not in taken | local)
            taken.add(names[symbol])
        return names

    def sections(self) -> Iterator[tuple[str, str]]:
        """Each module that anything is used of, and the text of that."""
        used = [statement for statement in self.statements if statement in self.uses]
        for module in dict.fromkeys(statement.module for statement in used):
            text = "".join(self._text(statement) for statement in used if statement.module == module)
            yield module, re.sub(r"\n{4,}", "\n\n\n", text).strip("\n") + "\n"

    def _text(self, statement: Statement) -> str:
        starts = [0, *accumulate(map(len, statement.lines))]  # in bytes, as the columns of nodes
        strings: dict[ast.AST, ast.AST] = {}  # by what f-strings hold: Python 3.11 doesn't say where that stands
        for string in ast.walk(statement.node):
            for inner in ast.walk(string) if isinstance(string, ast.JoinedStr) else ():
                strings.setdefault(inner, string)
        edits: dict[tuple[int, int], dict[str, str]] = {}
        for node, symbol, _ in self.uses[statement]:
            at: Any = strings.get(node, node)
            span = starts[at.lineno - 1] + at.col_offset, starts[at.end_lineno - 1] + at.end_col_offset
            edits.setdefault(span, {})[ast.unparse(node)] = self.names.get(symbol, ast.unparse(node))
        whole, done, parts = b"".join(statement.lines), starts[statement.first], []
        for (start, end), changes in sorted(edits.items()):
            part = whole[start:end].decode()
            for old, new in changes.items():
                part = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, part)
            parts += [whole[done:start].decode(), part]
            done = end
        text = "".join([*parts, whole[done : starts[statement.end]].decode()])
        if isinstance(statement.node, ast.FunctionDef | ast.ClassDef):
            name = statement.node.name
            new = self.names[Symbol(statement.module, name)]
            text = re.sub(rf"^(def|class) {name}\b", rf"\1 {new}", text, flags=re.M)
        return text
