"""``./shop migrate``: bring the database to the schema of this release. There is no way back but a backup."""

import argparse
from collections.abc import Sequence
from typing import TextIO

from app import migrations
from app.migrations.ops import CannotMigrate
from app.settings import Settings
from core.kernel.clock import Clock
from core.kernel.db import Database


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when the database is at this release, whether it was before or is now; 1 when it can't be."""
    argparse.ArgumentParser(
        prog="./shop migrate",
        description="Bring the database to this release, in one transaction. Run it before the new "
        "version serves; a second run finds nothing to do.",
    ).parse_args(argv)
    before, newest = migrations.current(settings.database_url), migrations.newest()
    if before == newest:
        print(f"The database is at this release already ({newest}).", file=out)
        return 0
    try:
        migrations.upgrade(settings.database_url)
    except CannotMigrate as error:
        print(error, file=out)
        return 1
    began = f"from {before}" if before else "from nothing"
    print(f"The database is at this release now: {began} to {newest}.", file=out)
    return 0
