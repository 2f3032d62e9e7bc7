"""``./shop COMMAND``: finds the command, reads the settings, opens what the command needs.

A command's module is imported only when it is asked for. ``run`` parses its arguments before anything
else. Exit codes: 0 done, 1 not done or something found wrong, 2 asked the wrong way or settings wrong.
"""

import difflib
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from app.settings import Settings


@dataclass(frozen=True)
class Command:
    """Where a command lives, in a line what it does, and what its ``run`` takes.

    ``database``: ``run(argv, settings, db, clock, out)`` on the schema of this release; ``bare``: the
    same on whatever is there; ``house``: ``run(argv, settings, house, out)``.
    """

    module: str
    does: str
    takes: Literal["bare", "database", "house"] = "database"


COMMANDS = {
    "migrate": Command("app.commands.migrate", "bring the database to this release", "bare"),
    "serve": Command("app.commands.serve", "serve the shop's pages and its API"),
    "worker": Command(
        "app.commands.worker", "do what happens after the answer: bills, mails", "house"
    ),
    "jobs": Command("app.commands.jobs", "list jobs; retry one"),
    "reconcile": Command(
        "app.commands.reconcile", "ask the processor what we have not heard", "house"
    ),
    "statements": Command(
        "app.commands.statements", "make the statements that are due; safe to run again", "house"
    ),
    "bill": Command(
        "app.commands.bill", "bill the services that are due; safe to run again", "house"
    ),
    "stock": Command(
        "app.commands.stock", "what is there of a thing; note what was counted", "house"
    ),
    "verify": Command("app.commands.verify", "prove that the books add up"),
    "backup": Command("app.commands.backup", "write the whole shop into one file, while it runs"),
    "restore": Command(
        "app.commands.restore", "bring a backup into a database: whole and proved, or not", "bare"
    ),
    "export": Command("app.commands.export", "write the books as CSV: journal, balances, ageing"),
    "import-invoices": Command(
        "app.commands.import_invoices", "bring in another system's invoices"
    ),
    "invite": Command("app.commands.invite", "give an account its log-in, by mail"),
    "staff": Command("app.commands.staff", "let somebody in at the desk"),
    "seed": Command("app.commands.seed", "put Fernway, the demo's shop, into an empty database"),
}
#: What ``./shop`` does before it comes to us, or hands on with arguments of its own.
_OTHERS = {
    "demo": "open the demo shop on this machine; Ctrl-C closes it",
    "test": "run every check and every test",
    "install": "only install what the shop needs",
    "help": "this list; ./shop COMMAND --help tells more of one",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough. Nothing may be flushed to them at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(words: list[str]) -> int:
    name, rest = (words[0], words[1:]) if words else ("help", [])
    if name in ("help", "-h", "--help"):
        if not rest:
            print(_list())
            return 0
        name, rest = rest[0], ["--help"]
    if name == "demo":
        return int(importlib.import_module("app.demo.command").demo(rest))
    if name not in COMMANDS:
        return _refuse(_unknown(name))
    command = COMMANDS[name]
    module = importlib.import_module(command.module)
    if {"-h", "--help"} & set(rest):
        module.run(["--help"], *[None] * (3 if command.takes == "house" else 4))
    return _with_settings(command, module, rest)


def _with_settings(command: Command, module: Any, rest: list[str]) -> int:
    from app.settings import SettingsError, load

    try:
        settings = load()
    except SettingsError as error:
        return _refuse(str(error))
    from sqlalchemy.exc import OperationalError

    from core.kernel.errors import ShopError

    try:
        return _open(command, module, rest, settings)
    except ShopError as error:
        return _refuse(str(error), 1)
    except OperationalError as error:
        words = " ".join(str(error.orig).split())
        return _refuse(f"The database does not do what was asked of it: {words}", 1)


def _open(command: Command, module: Any, rest: list[str], settings: "Settings") -> int:
    _log_trouble(settings.mode)
    if command.takes == "house":
        from app.wiring import build

        house = build(settings)
        try:
            return _is_behind(house.db) or int(module.run(rest, settings, house, sys.stdout))
        finally:
            house.db.close()
    from core.kernel.clock import SystemClock
    from core.kernel.db import Database

    db = Database(settings.database_url)
    try:
        behind = 0 if command.takes == "bare" else _is_behind(db)
        return behind or int(module.run(rest, settings, db, SystemClock(), sys.stdout))
    finally:
        db.close()


def _log_trouble(mode: str) -> None:
    """A command tells on the terminal what it did; its log has only what went wrong."""
    import structlog

    from app import logs

    logs.configure(mode)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _is_behind(db: Any) -> int:
    """0 when the schema is this release's; says so and answers 1 when it isn't."""
    from app import migrations

    if migrations.is_current(db):
        return 0
    with db.reading() as session:
        session.connection()  # a database that does not answer at all says so itself
    return _refuse("The database is not at this release. Run ./shop migrate first.", 1)


def _list() -> str:
    width = max(map(len, [*COMMANDS, *_OTHERS])) + 2
    lines = ["./shop COMMAND ...", ""]
    lines += [f"  {name:<{width}}{does}" for name, does in _OTHERS.items()]
    lines += [""]
    lines += [f"  {name:<{width}}{command.does}" for name, command in COMMANDS.items()]
    return "\n".join([*lines, "", "docs/commands.md explains each of them."])


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [*COMMANDS, *_OTHERS], n=1)
    hint = f"Did you mean ./shop {near[0]}?" if near else "./shop help lists what there is."
    return f"There is no command “{name}”. {hint}"


def _refuse(words: str, code: int = 2) -> int:
    print(words, file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
