"""The webhook sender: one thread that signs events, posts them, and tries again until it is heard.

What is still to be sent stands in the store, so that a restart goes on where the last one ended.
"""

import hashlib
import hmac
import http.client
import json
import threading
import time
import urllib.parse

from payments.sandbox import events, upkeep
from payments.sandbox.faults import Faults
from payments.sandbox.store import Store, Tx

WAITS = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0, 14400.0, 43200.0, 86400.0)
ANSWER_WITHIN = 5.0
TICK = 0.5


class Sender:
    """Where webhooks go, with which secrets they are signed, and the thread that sends them."""

    def __init__(
        self, store: Store, faults: Faults, target: str | None, secrets: list[str]
    ) -> None:
        self.target = target
        self.secrets = secrets
        self._store = store
        self._faults = faults
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def wake(self) -> None:
        """Something may be due now: look at once."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            with self._store.transaction() as tx:
                upkeep.run_due(tx)
                self._arrange(tx)
                nxt = _next(tx, self._store.now())
            if nxt is None:
                self._wake.wait(TICK)
            else:
                self._send(*nxt)

    def _arrange(self, tx: Tx) -> None:
        """Give each new delivery its turn, bent by the faults that are on."""
        rows = tx.connection.execute(
            "select id, event from deliveries where state = 'new' order by id"
        ).fetchall()
        for row, event in rows:
            if self.target is None:
                _set(tx, row, "unsent")
                continue
            fault = self._faults.on_webhook()
            kind = fault.kind if fault else ""
            state = {"lose_webhooks": "lost", "hold_webhooks": "held"}.get(kind, "waiting")
            _set(tx, row, "reversing" if kind == "reverse_webhooks" else state)
            if kind == "duplicate_webhooks":
                _copy(tx, event, self._store.now())
            if kind == "reverse_webhooks" and fault is not None and fault.times <= 0:
                _release_reversed(tx, self._store.now())

    def _send(self, row: int, event: str, attempts: int) -> None:
        try:
            answer = self._post(event)
            heard = answer.startswith("2")
        except (OSError, http.client.HTTPException) as problem:
            answer, heard = f"{type(problem).__name__}", False
        with self._store.transaction() as tx:
            if heard:
                state, at = "delivered", self._store.now()
            elif attempts < len(WAITS):
                state, at = "waiting", self._store.now() + WAITS[attempts]
            else:
                state, at = "failed", self._store.now()
            tx.connection.execute(
                "update deliveries set state = ?, attempts = ?, next_at = ?, answer = ?"
                " where id = ?",
                (state, attempts + 1, at, answer, row),
            )

    def _post(self, event: str) -> str:
        with self._store.transaction() as tx:
            body = events.payload(tx.get("event", event))
        target = urllib.parse.urlsplit(self.target or "")
        connect = (
            http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        )
        line = connect(target.netloc, timeout=ANSWER_WITHIN)
        try:
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": signature(body, self.secrets, int(self._store.now())),
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            }
            path = (target.path or "/") + (f"?{target.query}" if target.query else "")
            line.request("POST", path, body, headers)
            return str(line.getresponse().status)
        finally:
            line.close()


def signature(body: bytes, secrets: list[str], at: int) -> str:
    """The ``Stripe-Signature`` header: one ``v1`` for each secret that is valid now."""
    signed = f"{at}.".encode() + body
    parts = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={part}" for part in parts)])


def release(tx: Tx, now: float) -> None:
    """Let go of everything that was held back."""
    tx.connection.execute(
        "update deliveries set state = 'waiting', next_at = ? where state in ('held', 'reversing')",
        (now,),
    )


def send_again(tx: Tx, event: str, now: float) -> None:
    """Deliver an event once more, as a processor may do at any time."""
    _copy(tx, tx.get("event", event)["id"], now)


def listed(tx: Tx, most: int = 50) -> list[dict[str, object]]:
    """The latest deliveries, newest first."""
    rows = tx.connection.execute(
        "select d.id, d.event, d.state, d.attempts, d.answer, o.body, d.next_at"
        " from deliveries d join objects o on o.id = d.event order by d.id desc limit ?",
        (most,),
    )
    return [
        {
            "id": row[0],
            "event": row[1],
            "type": json.loads(row[5])["type"],
            "object": json.loads(row[5])["data"]["object"]["id"],
            "state": row[2],
            "attempts": row[3],
            "answer": row[4],
            "at": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row[6])),
        }
        for row in rows
    ]


def _next(tx: Tx, now: float) -> tuple[int, str, int] | None:
    row = tx.connection.execute(
        "select id, event, attempts from deliveries where state = 'waiting' and next_at <= ?"
        " order by next_at, id limit 1",
        (now,),
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def _set(tx: Tx, row: int, state: str) -> None:
    tx.connection.execute("update deliveries set state = ? where id = ?", (state, row))


def _copy(tx: Tx, event: str, now: float) -> None:
    tx.connection.execute(
        "insert into deliveries (event, state, next_at) values (?, 'waiting', ?)", (event, now)
    )


def _release_reversed(tx: Tx, now: float) -> None:
    rows = tx.connection.execute(
        "select id from deliveries where state = 'reversing' order by id desc"
    ).fetchall()
    for place, (row,) in enumerate(rows):
        tx.connection.execute(
            "update deliveries set state = 'waiting', next_at = ? where id = ?",
            (now - 1 + place / 1000, row),
        )
