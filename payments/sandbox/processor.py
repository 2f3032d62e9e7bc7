"""The processor as a whole: one request in, one answer out. Keys, faults and pages meet here."""

import hashlib
import hmac
import json
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from payments.sandbox import api, controls, forms, known, upkeep
from payments.sandbox.errors import ApiError
from payments.sandbox.faults import Fault, Faults
from payments.sandbox.pages import Pages
from payments.sandbox.sender import Sender
from payments.sandbox.store import Store, random_text


@dataclass(frozen=True)
class Settings:
    """What the processor is started with."""

    base: str
    api_key: str
    data: Path
    webhook_url: str | None
    webhook_secrets: tuple[str, ...]
    shop_name: str


@dataclass(frozen=True)
class Request:
    """``headers`` by lower-case name."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def asked(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.query).items()}


@dataclass
class Answer:
    """``hang_up`` closes the line without a word."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


def told(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    plain = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status, json.dumps(body, indent=2).encode(), plain)


def refused(error: ApiError) -> Answer:
    return told(error.status, error.body(), error.headers)


class Processor:
    """Answers requests; safe to call from many threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.data)
        known.take_over(self.store, settings.data)
        self.faults = Faults()
        self.sender = Sender(
            self.store, self.faults, settings.webhook_url, list(settings.webhook_secrets)
        )
        self.pages = Pages(self.store, settings.base, settings.shop_name)

    def answer(self, request: Request) -> Answer:
        try:
            if request.path.startswith("/v1/"):
                return self._api(request)
            if request.path.startswith("/sandbox/"):
                self._check_key(request)
                return told(200, controls.run(self, request))
            _check_site(request)
            page = self.pages.answer(request.method, request.path, request.asked, request.form)
            return Answer(page.status, page.body, page.headers)
        except ApiError as error:
            return refused(error)
        finally:
            if request.method != "GET":
                self.sender.wake()

    def _api(self, request: Request) -> Answer:
        request_id = "req_" + random_text(14)
        try:
            self._check_key(request)
            answer = self._bent(request, request_id)
        except ApiError as error:
            answer = refused(error)
        answer.headers.setdefault("Request-Id", request_id)
        answer.headers.setdefault("Stripe-Version", request.headers.get("stripe-version", ""))
        return answer

    def _bent(self, request: Request, request_id: str) -> Answer:
        """The answer, or what the fault that is on for this address makes of it."""
        fault = self.faults.on_request(request.method, request.path)
        if fault is None:
            return self._keyed(request, request_id)
        if fault.kind == "timeout":
            time.sleep(fault.delay_seconds or 30.0)
            return Answer(0, hang_up=True)
        if fault.kind == "429":
            raise ApiError(
                "Too many requests made to the API too quickly.",
                status=429, code="rate_limit", headers={"Retry-After": "1"},
            )  # fmt: skip
        if fault.kind == "key_in_use":
            raise ApiError(
                "There is currently another in-progress request using this Idempotent Key.",
                status=409, type_="idempotency_error", code="idempotency_key_in_use",
            )  # fmt: skip
        if fault.kind in ("500", "stored_500"):
            return self._broken(request, request_id, fault)
        answer = self._keyed(request, request_id)
        self.sender.wake()
        time.sleep(fault.delay_seconds)
        if fault.kind == "malformed":
            answer.body = answer.body[: len(answer.body) // 2]
        answer.hang_up = fault.kind == "drop_after_success"
        return answer

    def _broken(self, request: Request, request_id: str, fault: Fault) -> Answer:
        body = {"error": {"type": "api_error", "message": "Something went wrong on our side."}}
        if fault.after_success:
            self._keyed(request, request_id)
        key = request.headers.get("idempotency-key")
        if fault.kind == "stored_500" and key:
            with self.store.transaction() as tx:
                tx.connection.execute(
                    "insert or replace into keys values (?, ?, 500, ?, ?)",
                    (key, _fingerprint(request), json.dumps(body), tx.now),
                )
        return told(500, body)

    def _keyed(self, request: Request, request_id: str) -> Answer:
        """Carry out a request once for its key; later the same answer is given again."""
        given = _given(request)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        with self.store.transaction(request_id) as tx:
            upkeep.run_due(tx)
            tx.key = key
            if key is not None:
                kept = tx.connection.execute(
                    "select request, status, body from keys where key = ?", (key,)
                ).fetchone()
                if kept is not None:
                    return _replayed(kept, key, _fingerprint(request))
            tx.connection.execute("savepoint request")
            try:
                body = api.run(tx, request.method, request.path, given, self.settings.base)
                status = 200
            except ApiError as error:
                if not error.happened:
                    tx.connection.execute("rollback to request")
                if not error.stored:
                    return refused(error)
                status, body = error.status, error.body()
            if key is not None:
                tx.connection.execute(
                    "insert into keys values (?, ?, ?, ?, ?)",
                    (key, _fingerprint(request), status, json.dumps(body), tx.now),
                )
        return told(status, body, {"Idempotency-Key": key} if key else None)

    def _check_key(self, request: Request) -> None:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                value = b64decode(value, validate=True).decode().partition(":")[0]
            except (NotBase64, UnicodeDecodeError):
                value = ""
        if not hmac.compare_digest(value.strip().encode(), self.settings.api_key.encode()):
            raise ApiError(f"Invalid API Key provided: {value[:8]}****", status=401)


def _check_site(request: Request) -> None:
    """No other web page may press a button here."""
    site = request.headers.get("sec-fetch-site", "none")
    if request.method == "POST" and site not in ("none", "same-origin"):
        raise ApiError("This form is not ours.", status=403)


def _given(request: Request) -> dict[str, Any]:
    """The parameters, as they came: in the address, as a form, or as a form with files."""
    if request.method == "GET":
        return forms.tree(request.query)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        return forms.parts(request.body, content_type)
    return forms.tree(request.body.decode())


def _pairs(request: Request) -> list[tuple[str, str]]:
    """What was sent, by name; of a file its hash. A form with files is put together anew at every try."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return [
            (
                name,
                hashlib.sha256(value.data).hexdigest()
                if isinstance(value, forms.Upload)
                else value,
            )
            for name, value in _given(request).items()
        ]
    return parse_qsl(request.body.decode(), keep_blank_values=True)


def _fingerprint(request: Request) -> str:
    pairs = sorted(_pairs(request))
    return hashlib.sha256(json.dumps([request.method, request.path, pairs]).encode()).hexdigest()


def _replayed(kept: tuple[str, int, str], key: str, fingerprint: str) -> Answer:
    before, status, body = kept
    if before != fingerprint:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were"
            f" first used with. Try using a key other than '{key}' if you meant to execute a"
            " different request.",
            type_="idempotency_error",
        )
    return told(status, json.loads(body), {"Idempotency-Key": key, "Idempotent-Replayed": "true"})
