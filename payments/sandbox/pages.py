"""The pages people see: the pay page, the bank's question, and what has happened here.

They work without a script, carry a banner that no real money is involved, and allow themselves to
send the browser only back to the shop that opened the visit.
"""

import mimetypes
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from payments.sandbox import (
    amounts,
    cards,
    checkouts,
    disputes,
    intents,
    methods,
    paying,
    saving,
    sender,
    setups,
    upkeep,
)
from payments.sandbox.errors import ApiError
from payments.sandbox.store import Body, Store, Tx

_HERE = Path(__file__).parent
_DISPUTE = re.compile(r"/disputes/(dp_[A-Za-z0-9_]{1,80})")
_SESSION = re.compile(r"/pay/(cs_test_[A-Za-z0-9]{1,80})(/challenge)?")


@dataclass
class Page:
    status: int
    body: bytes
    headers: dict[str, str]


class Pages:
    """Reads and writes the store in one transaction for each request."""

    def __init__(self, store: Store, base: str, shop_name: str) -> None:
        self._store = store
        self._base = base
        self._shop = shop_name

    @cached_property
    def _templates(self) -> jinja2.Environment:
        found = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        found.globals.update(
            shop=self._shop, words=amounts.words, figure=amounts.figure, sign=amounts.sign
        )
        return found

    def answer(
        self, method: str, path: str, asked: Mapping[str, str], form: Mapping[str, str]
    ) -> Page:
        if path == "/healthz":
            return Page(200, b"ok\n", {"Content-Type": "text/plain; charset=utf-8"})
        if path.startswith("/static/"):
            return _static(path)
        with self._store.transaction() as tx:
            upkeep.run_due(tx)
            if path == "/" and method == "GET":
                return self._overview(tx)
            about = _DISPUTE.fullmatch(path)
            if about and method == "POST":
                disputes.close(tx, about[1], won=form.get("won") == "1")
                return _go(f"{self._base}/#chargebacks")
            match = _SESSION.fullmatch(path)
            session = tx.find(checkouts.KIND, match[1]) if match else None
            if match is None or session is None or method not in ("GET", "POST"):
                return self._page("missing.html", 404)
            if match[2]:
                return self._challenge(tx, method, session, form)
            return self._pay(tx, method, session, asked, form)

    def _pay(
        self, tx: Tx, method: str, session: Body, asked: Mapping[str, str], form: Mapping[str, str]
    ) -> Page:
        if method == "POST":
            press = saving.save if session["mode"] == "setup" else paying.pay
            outcome = press(tx, session["id"], form, self._base)
            if isinstance(outcome, paying.Go):
                return _go(outcome.address)
            return self._form(tx, session, outcome, 200 if outcome.declined else 422)
        if session["status"] == "complete":
            return _go(checkouts.success_address(session))
        if session["status"] == "expired":
            return self._page("lapsed.html", 410, session=session)
        card = cards.find(asked.get("card", ""))
        values = (
            {"number": card.grouped, "expiry": "12 / 34", "cvc": card.cvc, "name": "June Alder"}
            if card
            else {}
        )
        problems = {} if card else self._last_problem(tx, session)
        return self._form(tx, session, paying.Again(problems, values, bool(problems)), 200)

    def _form(self, tx: Tx, session: Body, again: paying.Again, status: int) -> Page:
        return self._page(
            "set_up.html" if session["mode"] == "setup" else "pay.html",
            status,
            session=session,
            problems=again.problems,
            values=again.values,
            declined=again.declined,
            lines=session["_lines"],
            cards=cards.SHOWN_FOR_FILE if session["mode"] == "setup" else cards.SHOWN,
            left=_left(session["expires_at"] - tx.now),
        )

    def _last_problem(self, tx: Tx, session: Body) -> dict[str, str]:
        """Why the bank said no a moment ago, told when its page sends the payer back."""
        if session["setup_intent"]:
            error = tx.get(setups.KIND, session["setup_intent"])["last_setup_error"]
            return {"number": error["message"]} if error else {}
        if not session["payment_intent"]:
            return {}
        error = tx.get(intents.KIND, session["payment_intent"])["last_payment_error"]
        return {"number": error["message"]} if error else {}

    def _challenge(self, tx: Tx, method: str, session: Body, form: Mapping[str, str]) -> Page:
        if method == "POST":
            confirmed = form.get("answer") == "complete"
            answer = saving.answer_bank if session["mode"] == "setup" else paying.answer_bank
            return _go(answer(tx, session["id"], confirmed, self._base).address)
        if session["status"] != "open" or not session.get("_challenge"):
            return _go(f"{self._base}/pay/{session['id']}")
        card = cards.by_fingerprint(session["_challenge"]["card"])
        return self._page("challenge.html", 200, session=session, card=card)

    def _overview(self, tx: Tx) -> Page:
        most = {"limit": 20}
        return self._page(
            "overview.html",
            200,
            session=None,
            sessions=tx.listing(checkouts.KIND, most)[0],
            payments=tx.listing(intents.KIND, most)[0],
            refunds=tx.listing("refund", most)[0],
            disputes=tx.listing(disputes.KIND, most)[0],
            is_closed=lambda one: one["status"] in disputes.CLOSED,
            methods=tx.listing(methods.KIND, most)[0],
            deliveries=sender.listed(tx),
            cards=cards.CARDS,
            now=_moment(tx.now),
            moment=_moment,
        )

    def _page(self, template: str, status: int, session: Body | None = None, **facts: Any) -> Page:
        html = self._templates.get_template(template).render(session=session, **facts)
        back = {
            checkouts.origin(session[name])
            for name in ("success_url", "cancel_url")
            if session and session[name]
        }
        return Page(status, html.encode(), _headers(sorted(back)))


def _headers(origins: list[str]) -> dict[str, str]:
    """A page's headers. ``form-action`` names the shop too: the answer to the form sends there."""
    own = " ".join(["'self'", *origins])
    policy = (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {own}"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _go(address: str) -> Page:
    return Page(303, b"", {"Location": address, "Cache-Control": "no-store"})


def _static(path: str) -> Page:
    folder = _HERE / "static"
    file = (folder / path.removeprefix("/static/")).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise ApiError("There is no such file.", status=404)
    kind = "font/woff2" if file.suffix == ".woff2" else mimetypes.guess_type(file.name)[0]
    return Page(
        200,
        file.read_bytes(),
        {"Content-Type": kind or "application/octet-stream", "Cache-Control": "max-age=3600"},
    )


def _left(seconds: int) -> str:
    minutes = max(1, seconds // 60)
    if minutes >= 120:
        return f"{minutes // 60} more hours"
    return f"{minutes} more minute{'s' if minutes != 1 else ''}"


def _moment(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
