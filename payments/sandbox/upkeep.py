"""What happens by itself when time passes: sessions lapse, authorisations end, refunds settle."""

from payments.sandbox import checkouts, intents, refunds, setups
from payments.sandbox.store import Tx

KEYS_HOLD = 24 * 3600


def run_due(tx: Tx) -> None:
    """Do everything whose time has come, in the order of time."""
    rows = tx.connection.execute(
        "select id, what, object from due where at <= ? order by at, id", (tx.now,)
    ).fetchall()
    for row, what, object_id in rows:
        tx.connection.execute("delete from due where id = ?", (row,))
        if what == "expire_session":
            _expire(tx, object_id)
        elif what == "release_authorisation":
            intents.release_old(tx, object_id)
        elif what == "settle_refund":
            refunds.settle(tx, object_id)
    tx.connection.execute("delete from keys where created <= ?", (tx.now - KEYS_HOLD,))


def expire_session(tx: Tx, session_id: str) -> dict[str, object]:
    """End a session because the shop asks, with what was begun on its page."""
    session = checkouts.expire(tx, session_id)
    _end_intent(tx, session)
    return session


def _expire(tx: Tx, session_id: str) -> None:
    if tx.get(checkouts.KIND, session_id)["status"] == "open":
        _end_intent(tx, checkouts.expire(tx, session_id))


def _end_intent(tx: Tx, session: dict[str, object]) -> None:
    intent = session["payment_intent"]
    if isinstance(session["setup_intent"], str):
        setups.cancel(tx, session["setup_intent"])
    if isinstance(intent, str) and tx.get(intents.KIND, intent)["status"] != "canceled":
        intents.cancel(tx, intent, "abandoned")
