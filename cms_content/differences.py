"""What two versions differ in, line by line, in the words of the desk."""

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from cms_content.blocks import NAMES, Content


class Difference(NamedTuple):
    """A line: ``same``, ``gone`` or ``new``."""

    kind: str
    text: str


def between(old: Content, new: Content) -> list[Difference]:
    """The lines of both in one list, with what is alike far from any change left out."""
    before, after = list(lines(old)), list(lines(new))
    found: list[Difference] = []
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for group in matcher.get_grouped_opcodes(2):
        if found:
            found.append(Difference("gap", "…"))
        for tag, a, z, b, y in group:
            if tag == "equal":
                found += [Difference("same", line) for line in before[a:z]]
            else:
                found += [Difference("gone", line) for line in before[a:z]]
                found += [Difference("new", line) for line in after[b:y]]
    return found


def lines(content: Content) -> Iterator[str]:
    """A version as lines of words."""
    yield f"Title: {content.title}"
    for name, value in content.seo.model_dump().items():
        if value:
            yield f"{_called(name)}: {_said(value)}"
    for number, block in enumerate(content.blocks, start=1):
        yield f"Block {number}: {NAMES[block.kind]}"
        yield from _fields(block.model_dump(exclude={"kind"}), "  ")


def _fields(fields: dict[str, Any], indent: str) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            for number, item in enumerate(value, start=1):
                yield f"{indent}{_called(name).rstrip('s')} {number}"
                yield from _fields(item, indent + "  ")
        elif value not in ("", (), [], None, False):
            said = _said(value).split("\n")
            yield f"{indent}{_called(name)}: {said[0]}"
            yield from (f"{indent}  {line}" for line in said[1:] if line)


def _called(name: str) -> str:
    return name.replace("_", " ").replace("href", "address").capitalize()


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
