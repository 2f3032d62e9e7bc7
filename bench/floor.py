"""What this machine, server and database can do at best: three views on the bare driver.

An empty view, one row by its key, and the bare transaction of a sale: take one piece if there is one,
write an order, write its line. The same server serves them as serves the shop.
"""

import os
import sqlite3
import threading
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from flask import Flask

PIECES = 1_000
SCHEMA = (
    "CREATE TABLE floor_piece (id integer PRIMARY KEY, free integer NOT NULL, name text NOT NULL)",
    "CREATE TABLE floor_order (id char(32) PRIMARY KEY, total integer NOT NULL)",
    "CREATE TABLE floor_line (id char(32) PRIMARY KEY, order_id char(32) NOT NULL"
    " REFERENCES floor_order, piece_id integer NOT NULL REFERENCES floor_piece)",
)
_FILL = "INSERT INTO floor_piece VALUES ({0}, 1000000000, {0})"
_ROW = "SELECT name FROM floor_piece WHERE id = {0}"
_SALE = (
    "UPDATE floor_piece SET free = free - 1 WHERE id = {0} AND free >= 1",
    "INSERT INTO floor_order VALUES ({0}, 12900)",
    "INSERT INTO floor_line VALUES ({0}, {0}, {0})",
)
_local = threading.local()


def connect(url: str) -> Any:
    """A connection of the bare driver, without a transaction, as durable as the shop's."""
    if url.startswith("sqlite:///"):
        found = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            found.execute(f"PRAGMA {pragma}")
        return found
    parts = urlsplit(url)
    host = parse_qs(parts.query)["host"][0]
    return psycopg.connect(
        host=host, user=parts.username, dbname=parts.path[1:], autocommit=True, prepare_threshold=1
    )


def fill(url: str) -> None:
    """Make the tables."""
    connection = connect(url)
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("BEGIN")
    mark = _mark(url)
    for number in range(PIECES):
        connection.execute(_FILL.format(mark), (number, f"piece {number}"))
    connection.execute("COMMIT")
    connection.close()


def _mark(url: str) -> str:
    return "?" if url.startswith("sqlite") else "%s"


def create() -> Flask:
    """The three views, as the server starts them."""
    app = Flask("floor")
    url = os.environ["DATABASE_URL"]
    mark = _mark(url)
    row, sale = _ROW.format(mark), [one.format(mark) for one in _SALE]
    begin = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "BEGIN"

    def connection() -> Any:
        if not hasattr(_local, "connection"):
            _local.connection = connect(url)
        return _local.connection

    @app.get("/empty")
    def empty() -> str:
        return ""

    @app.get("/row/<int:number>")
    def one_row(number: int) -> str:
        return str(connection().execute(row, (number,)).fetchone()[0])

    @app.post("/sale/<int:number>")
    def bare_sale(number: int) -> str:
        order, line, bare = uuid.uuid4().hex, uuid.uuid4().hex, connection()
        bare.execute(begin)
        bare.execute(sale[0], (number,))
        bare.execute(sale[1], (order,))
        bare.execute(sale[2], (line, order, number))
        bare.execute("COMMIT")
        return order

    return app
