"""XML from strangers, read piece by piece: the root, then each of its children as a small tree.

Uses the expat of the standard library with everything forbidden that makes XML dangerous: a document type, and with it
every entity and every file or address that a document could ask for, is refused as soon as it begins; depth, size of a
piece and size of a token are bounded. (lxml would need another package at run time; `xml.etree` gives no way to refuse
a document type.) Knows XML; knows no EmotionML.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from affetto.core.errors import UnreadableError

DEEPEST = 32
"""Elements inside each other."""
MOST_NODES = 1_000_000
"""Elements of one child of the root."""
LONGEST = 1 << 26
"""Characters of one child of the root, and bytes of a token."""
_BLOCK = 1 << 16


@dataclass
class Node:
    """An element: `name` is its namespace, a space, and its local name."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    """All text directly inside."""
    children: list["Node"] = field(default_factory=list)

    def all(self, name: str) -> list["Node"]:
        """Return the children of a name."""
        return [child for child in self.children if child.name == name]


def nodes(path: str | Path) -> Iterator[Node]:
    """Yield the root, without its children, and then each child of it.

    Raises:
        UnreadableError: there is no such file, it is no XML, or it tries something.
    """
    reader = _Reader(Path(path).name)
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                reader.feed(block)
                yield from reader.take()
            reader.feed(b"", last=True)
            yield from reader.take()
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be read: {error.strerror}; check the path") from None


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self._done: list[Node] = []
        self._nodes = self._size = self._fed = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.ExternalEntityRefHandler = self._doctype
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def feed(self, block: bytes, last: bool = False) -> None:
        self._fed += len(block)
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            raise UnreadableError(f"{self._name} is no well-formed XML: {error}") from None
        if self._fed - self._parser.CurrentByteIndex > LONGEST:
            self._refuse(f"holds a single tag of over {LONGEST >> 20} MB")

    def take(self) -> Iterator[Node]:
        done, self._done = self._done, []
        yield from done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(name, attributes)
        if not self._open:
            self._done.append(Node(name, attributes))
        elif len(self._open) > 1:
            self._open[-1].children.append(node)
        self._open.append(node)
        self._texts.append([])
        self._nodes += 1
        self._size += len(name) + sum(len(key) + len(value) for key, value in attributes.items())
        if len(self._open) > DEEPEST:
            self._refuse(f"is nested deeper than {DEEPEST} elements")
        if self._nodes > MOST_NODES:
            self._refuse(f"has an element with over {MOST_NODES:,} inside")
        self._bound()

    def _end(self, name: str) -> None:
        node = self._open.pop()
        node.text = "".join(self._texts.pop())
        if len(self._open) == 1:
            self._done.append(node)
            self._nodes = self._size = 0

    def _characters(self, text: str) -> None:
        self._size += len(text)
        self._bound()
        if len(self._open) > 1:
            self._texts[-1].append(text)
        else:
            self._size = 0

    def _bound(self) -> None:
        if self._size > LONGEST:
            self._refuse(f"has an element of over {LONGEST:,} characters")

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("declares a document type or entities, which are not read, for they can be bombs; remove them")

    def _refuse(self, reason: str) -> NoReturn:
        raise UnreadableError(f"{self._name} {reason}")
