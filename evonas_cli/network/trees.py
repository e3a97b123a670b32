"""Expression trees and their text: `add(x, tanh(h))`.

A place is a path of child numbers from the root: () is the root, (1, 0) the first child of the root's second child.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[int, ...]

LONGEST, LEVELS = 20_000, 100
"""Characters of a tree's text and levels of its parentheses, at most."""
_TOKEN = re.compile(r"\s*([A-Za-z0-9_]+|[(),])\s*")
FORM = "it must read like tanh(add(c0, h))"


@dataclass(frozen=True, slots=True)
class Tree:
    """A node with its label and the subtrees that it reads; a leaf has none."""

    label: str
    children: tuple[Tree, ...] = ()

    @property
    def size(self) -> int:
        """Number of nodes, leaves included."""
        return 1 + sum([child.size for child in self.children])

    @property
    def depth(self) -> int:
        """Function nodes on the longest path from the root; a leaf alone has depth 0."""
        return 1 + max([child.depth for child in self.children]) if self.children else 0

    def places(self, above: Path = ()) -> Iterator[tuple[Path, Tree]]:
        """Every place with its subtree, each node before its children."""
        yield above, self
        for number, child in enumerate(self.children):
            yield from child.places((*above, number))

    def at(self, place: Path) -> Tree:
        """The subtree at a place. Raises IndexError where there is none."""
        found = self
        for number in place:
            found = found.children[number]
        return found

    def replaced(self, place: Path, subtree: Tree) -> Tree:
        """The tree with another subtree at a place. Raises IndexError where there is no such place."""
        if not place:
            return subtree
        number, *below = place
        changed = self.children[number].replaced(tuple(below), subtree)
        return Tree(self.label, (*self.children[:number], changed, *self.children[number + 1 :]))

    def __str__(self) -> str:
        """`add(x, tanh(h))`."""
        return f"{self.label}({', '.join(map(str, self.children))})" if self.children else self.label


def parsed(text: str) -> Tree:
    """The tree of a text as `str` writes it. Raises ValueError, in one line, for anything else."""
    if len(text) > LONGEST:
        raise ValueError(f"a tree of {len(text)} characters; at most {LONGEST} are read")
    tokens, end = [], 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise ValueError(f"{text[end : end + 20]!r} is no part of a tree such as tanh(add(c0, h))")
        tokens.append(match[1])
        end = match.end()
    return _tree(tokens)


def _tree(tokens: Sequence[str]) -> Tree:
    """Without recursion, since a text may be deep: `stack` holds the nodes whose parenthesis is open."""
    stack: list[tuple[str, list[Tree]]] = [("", [])]
    before = "("
    for place, token in enumerate(tokens):
        opens = place + 1 < len(tokens) and tokens[place + 1] == "("
        if token[0].isalnum() or token[0] == "_":
            _expect(before in ("(", ","), token)
            if opens:
                stack.append((token, []))
                if len(stack) > LEVELS:
                    raise ValueError(f"the tree has more than {LEVELS} levels")
            else:
                stack[-1][1].append(Tree(token))
        elif token == ")":
            _expect(len(stack) > 1 and before not in ("(", ","), token)
            label, children = stack.pop()
            stack[-1][1].append(Tree(label, tuple(children)))
        elif token == ",":
            _expect(len(stack) > 1 and before not in ("(", ","), token)
        else:
            _expect(before[0].isalnum() or before[0] == "_", token)
        before = token
    if len(stack) != 1 or len(stack[0][1]) != 1:
        raise ValueError(f"the tree ends too early; {FORM}")
    return stack[0][1][0]


def _expect(holds: bool, token: str) -> None:
    if not holds:
        raise ValueError(f"{token!r} stands at a wrong place in the tree; {FORM}")
