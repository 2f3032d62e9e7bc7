"""From a letter's facts to subject, plain text and HTML. Called by ``flows.notify``.

Each letter has two templates of one name. The plain one begins with ``Subject:``; its long lines are
wrapped here, but for those that begin with two spaces. Expressions print amounts and dates in the
reader's locale, and text on one line, see ``core.notices.figures.say``.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from core.notices import paper
from core.notices.figures import Figures, figures
from core.notices.letters import Letter, Look, Row

WIDTH = 72
_SUBJECT = "Subject: "
_LONGEST_SUBJECT = 300


@dataclass(frozen=True)
class Rendered:
    """A mail in words. ``logo`` is the SHA-256 of the picture that its HTML shows, or empty."""

    subject: str
    text: str
    html: str
    logo: str = ""


class _Laid(str):
    """Plain text that is laid out in lines already."""

    __slots__ = ()


def render(letter: Letter) -> Rendered:
    """Put a letter into words, in the locale of its letterhead."""
    facts = {field.name: getattr(letter, field.name) for field in fields(letter)}
    environment = _environment(str(figures(letter.head.locale).locale), letter.head.look)
    plain = environment.get_template(f"{letter.TEMPLATE}.txt").render(facts)
    first, _, body = plain.partition("\n")
    if not first.startswith(_SUBJECT):
        raise ValueError(f"{letter.TEMPLATE}.txt does not begin with its subject")
    subject = first.removeprefix(_SUBJECT).strip()[:_LONGEST_SUBJECT]
    html = environment.get_template(f"{letter.TEMPLATE}.html").render(facts, subject=subject)
    mark = letter.head.look.mark
    return Rendered(subject, _wrapped(body), html, mark.sha256 if mark is not None else "")


@lru_cache(maxsize=32)
def _environment(locale: str, look: Look) -> Environment:
    say = figures(locale)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"], disabled_extensions=["txt"], default=True),
        undefined=StrictUndefined,
        finalize=say.say,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        figure=say.figure,
        alone=say.alone,
        day=say.day,
        week_day=say.week_day,
        dial=_dial,
        spaced=_spaced,
        ledger=lambda rows: _ledger(rows, say),
        rule=lambda text: _Laid("-" * len(text)),
    )
    environment.globals.update(
        paper=paper.LIGHT | dict(look.light), slate=paper.DARK | dict(look.dark), faces=look
    )
    return environment


def _wrapped(text: str) -> str:
    """Fold the long lines; at most one empty line in a row; one line break at the end."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        line = line.rstrip()
        if not line and lines and not lines[-1]:
            continue
        if len(line) <= WIDTH or line.startswith("  "):
            lines.append(line)
        else:
            lines += textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def _ledger(rows: Sequence[Row], say: Figures) -> str:
    """Rows of a sum for plain text: the names at the left, the amounts in one column."""
    said = [say.figure(row.amount) for row in rows]
    column = max((len(amount) for amount in said), default=0)
    lines: list[str] = []
    for row, amount in zip(rows, said, strict=True):
        if row.kind == "total":
            lines.append(" " * (WIDTH - column) + "-" * column)
        indent = "    " if row.kind == "piece" else "  "
        name = f"{row.name} ({row.note})" if row.note else row.name
        lines += _entry(say.say(name), amount, indent, column)
    return _Laid("\n".join(lines))


def _entry(name: str, amount: str, indent: str, column: int) -> list[str]:
    room = WIDTH - column - len(indent) - 2
    names = textwrap.wrap(name, room, subsequent_indent="  ") or [""]
    last = f"{indent}{names[-1]:<{room}}  {amount:>{column}}"
    return [*(indent + part for part in names[:-1]), last]


def _dial(phone: str) -> str:
    """A telephone number as an address has it: digits, and a plus in front."""
    return "".join(
        sign for at, sign in enumerate(phone) if sign.isdigit() or (sign == "+" and not at)
    )


def _spaced(number: str) -> str:
    """A number in groups of three, as it stands on bills: ``204 187 751``."""
    return "\N{NO-BREAK SPACE}".join(number[at : at + 3] for at in range(0, len(number), 3))
