"""The port on Stripe's own SDK; with the sandbox's address it speaks to the sandbox instead.

The only module that imports ``stripe``. Built by the application's wiring, used through
``payments.gateway.Gateway``. The SDK's own retries are off: a retry is the business of the
operation log, which keeps the key.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import requests
import stripe

from core.kernel import turns
from core.kernel.money import Money
from payments import stripe_reading as reading
from payments import stripe_writing as writing
from payments.gateway import (
    AuthenticationRequired,
    BalanceTransaction,
    CheckoutRequest,
    CheckoutSession,
    Declined,
    Indeterminate,
    InvalidRequest,
    Item,
    KeyConflict,
    Misconfigured,
    Page,
    Payment,
    RateLimited,
    Refund,
    RefundRequest,
    WebhookEvent,
    WebhookRefused,
)
from payments.stripe_chargebacks import Chargebacks
from payments.stripe_saved import CHARGE, CLOCK_SKEW, SavedCards
from payments.stripe_writing import ident

SANDBOX_KEY = "sk_sandbox_"
LIVE_KEYS = ("sk_live_", "rk_live_")
TEST_KEYS = ("sk_test_", "rk_test_")
STRIPE_HOSTS = frozenset({"api.stripe.com"})
CONNECT_WITHIN = 3.0

Result = TypeVar("Result")


def check_key(api_key: str, *, production: bool) -> None:
    """Misconfigured when a shop that takes real money was given a key that moves none."""
    if production and not api_key.startswith(LIVE_KEYS):
        raise Misconfigured("a shop in production needs a live key (sk_live_… or rk_live_…)")


class StripeGateway(SavedCards, Chargebacks):
    """``payments.gateway.Gateway``, spoken to Stripe. Safe to share between threads.

    ``api_base`` is None for Stripe itself. ``webhook_secrets`` holds every secret that is valid
    now, so that one can be changed without losing an event. Raises Misconfigured when key, address
    and ``sandbox`` do not belong together: a real key never leaves for another host.
    """

    def __init__(
        self,
        api_key: str,
        *,
        webhook_secrets: tuple[str, ...],
        api_base: str | None = None,
        timeout: float = 10.0,
        webhook_tolerance: timedelta = timedelta(minutes=5),
        sandbox: bool = False,
    ) -> None:
        _check_address(api_key, api_base, sandbox)
        if not webhook_secrets or not all(secret.strip() for secret in webhook_secrets):
            raise Misconfigured("a webhook secret is missing")
        self._live = api_key.startswith(LIVE_KEYS)
        self._secrets = webhook_secrets
        self._tolerance = webhook_tolerance
        base = api_base.rstrip("/") if api_base else None
        self._client = stripe.StripeClient(
            api_key,
            # Stripe takes files at another address than the rest; the sandbox takes both at one.
            base_addresses={"api": base, "files": base} if base else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(
                timeout=(min(CONNECT_WITHIN, timeout), timeout),
                session=_plain_session() if sandbox else None,
            ),
        ).v1

    @property
    def _services(self) -> Any:
        return self._client

    def _ask(self, op_key: str | None, call: Callable[[], Result]) -> Result:
        return _asked(op_key, call)

    # --- checkout ----------------------------------------------------------------------------

    def start_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        params = writing.checkout(request)
        sessions = self._client.checkout.sessions
        return _asked(
            request.op_key,
            lambda: reading.checkout(
                sessions.create(params, _keyed(request.op_key)).to_dict()  # type: ignore[arg-type]  # built above; held against the SDK's types in tests
            ),
        )

    def get_checkout(self, checkout_id: str) -> CheckoutSession:
        sessions = self._client.checkout.sessions
        return _asked(
            None, lambda: reading.checkout(sessions.retrieve(ident(checkout_id)).to_dict())
        )

    def find_checkout_by_operation(
        self, operation_id: str, created_gte: datetime
    ) -> CheckoutSession | None:
        """The paid one first, then the open one, when an operation opened several."""
        rank = {"complete": 2, "open": 1, "expired": 0}
        since = {"created": {"gte": int((created_gte - CLOCK_SKEW).timestamp())}}

        def search() -> CheckoutSession | None:
            found = [
                reading.checkout(body)
                for body in self._pages(self._client.checkout.sessions, since)
                if reading.operation_of(body) == operation_id
            ]
            return max(found, key=lambda session: rank[session.status], default=None)

        return _asked(None, search)

    def expire_checkout(self, checkout_id: str, op_key: str) -> CheckoutSession:
        sessions = self._client.checkout.sessions
        try:
            return _asked(
                op_key,
                lambda: reading.checkout(
                    sessions.expire(ident(checkout_id), {}, _keyed(op_key)).to_dict()
                ),
            )
        except InvalidRequest:
            session = self.get_checkout(checkout_id)
            if session.status == "open":
                raise
            return session

    # --- payments ----------------------------------------------------------------------------

    def get_payment(self, payment_id: str) -> Payment:
        intents = self._client.payment_intents
        return _asked(
            None,
            lambda: reading.payment(
                intents.retrieve(ident(payment_id), {"expand": CHARGE}).to_dict()
            ),
        )

    def capture(self, op_key: str, payment_id: str, amount: Money | None = None) -> Payment:
        params: dict[str, Any] = {"expand": CHARGE}
        if amount is not None:
            params["amount_to_capture"] = writing.units(amount)
        intents = self._client.payment_intents
        return _asked(
            op_key,
            lambda: reading.payment(
                intents.capture(ident(payment_id), params, _keyed(op_key)).to_dict()  # type: ignore[arg-type]  # built above; held against the SDK's types in tests
            ),
        )

    def void(self, op_key: str, payment_id: str) -> Payment:
        intents = self._client.payment_intents
        try:
            return _asked(
                op_key,
                lambda: reading.payment(
                    intents.cancel(ident(payment_id), {"expand": CHARGE}, _keyed(op_key)).to_dict()
                ),
            )
        except InvalidRequest:
            payment = self.get_payment(payment_id)
            if payment.status != "canceled":
                raise
            return payment

    # --- refunds -----------------------------------------------------------------------------

    def refund(self, request: RefundRequest) -> Refund:
        refunds = self._client.refunds
        return _asked(
            request.op_key,
            lambda: reading.refund(
                refunds.create(
                    {
                        "payment_intent": ident(request.payment_id),
                        "amount": writing.units(request.amount),
                        "metadata": writing.metadata(request.metadata, request.operation_id),
                    },
                    _keyed(request.op_key),
                ).to_dict()
            ),
        )

    def get_refund(self, refund_id: str) -> Refund:
        refunds = self._client.refunds
        return _asked(None, lambda: reading.refund(refunds.retrieve(ident(refund_id)).to_dict()))

    def find_refund_by_operation(self, operation_id: str, payment_id: str) -> Refund | None:
        of_payment = {"payment_intent": ident(payment_id)}

        def search() -> Refund | None:
            for body in self._pages(self._client.refunds, of_payment):
                if reading.operation_of(body) == operation_id:
                    return reading.refund(body)
            return None

        return _asked(None, search)

    # --- what happened -----------------------------------------------------------------------

    def list_balance_transactions(
        self, after: str | None = None, created_gte: datetime | None = None, limit: int = 100
    ) -> Page[BalanceTransaction]:
        service = self._client.balance_transactions
        return self._forward(service, reading.balance_transaction, after, created_gte, limit)

    def list_events(
        self, after: str | None = None, created_gte: datetime | None = None, limit: int = 100
    ) -> Page[WebhookEvent]:
        return self._forward(self._client.events, reading.event, after, created_gte, limit)

    def parse_webhook(self, raw: bytes, signature: str | None, now: datetime) -> WebhookEvent:
        if not signature:
            raise WebhookRefused("unsigned")
        _check_signature(raw, signature, self._secrets)
        if abs(now - _signed_at(signature)) > self._tolerance:
            raise WebhookRefused("stale")
        try:
            event = reading.event(json.loads(raw))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WebhookRefused("malformed") from None
        if event.livemode != self._live:
            raise WebhookRefused("wrong_mode")
        return event

    # --- pages -------------------------------------------------------------------------------

    def _pages(self, service: Any, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every object of a listing, newest first."""
        params = {**query, "limit": 100}
        while True:
            page = service.list(params)
            found = [item.to_dict() for item in page.data]
            yield from found
            if not page.has_more or not found:
                return
            params["starting_after"] = found[-1]["id"]

    def _forward(
        self,
        service: Any,
        read: Callable[[Mapping[str, Any]], Item],
        after: str | None,
        created_gte: datetime | None,
        limit: int,
    ) -> Page[Item]:
        """Oldest first, though Stripe lists newest first: its ``ending_before`` walks forward."""
        query: dict[str, Any] = {}
        if created_gte is not None:
            query["created"] = {"gte": int(created_gte.timestamp())}

        def fetch() -> Page[Item]:
            if after is None:
                bodies = list(self._pages(service, query))[::-1]
                more, bodies = len(bodies) > limit, bodies[:limit]
            else:
                size = {"limit": min(limit, 100), "ending_before": ident(after)}
                page = service.list({**query, **size})
                more, bodies = page.has_more, [item.to_dict() for item in page.data][::-1]
            cursor = bodies[-1]["id"] if bodies else after
            return Page(tuple(read(body) for body in bodies), cursor, bool(more))

        return _asked(None, fetch)


# --- asking, and what comes of it ------------------------------------------------------------


def _asked(op_key: str | None, call: Callable[[], Result]) -> Result:
    """Make the call and read its answer; every way to fail becomes one of the port's errors."""
    try:
        with turns.aside():
            return call()
    except stripe.CardError as error:
        _raise_card(error)
    except stripe.IdempotencyError:
        raise KeyConflict(op_key or "") from None
    except stripe.InvalidRequestError as error:
        raise InvalidRequest(
            error.code or "invalid_request", error.user_message or "", error.param
        ) from None
    except stripe.RateLimitError as error:
        after = (error.headers or {}).get("Retry-After", "")
        raise RateLimited(int(after) if after.isdigit() else None) from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise Misconfigured(error.user_message or "the key was refused") from None
    except stripe.APIConnectionError as error:
        raise Indeterminate("no answer") from error
    except stripe.StripeError as error:
        raise Indeterminate(f"answer {error.http_status or 'unreadable'}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Indeterminate("unreadable answer") from error


def _raise_card(error: stripe.CardError) -> NoReturn:
    facts = error.error
    intent = facts.payment_intent if facts else None
    payment_id = intent.id if intent else None
    if error.code == "authentication_required":
        raise AuthenticationRequired(payment_id) from None
    decline_code = facts.decline_code if facts else None
    raise Declined(error.code or "card_declined", decline_code, payment_id) from None


def _check_address(api_key: str, api_base: str | None, sandbox: bool) -> None:
    foreign = api_base is not None and urlsplit(api_base).hostname not in STRIPE_HOSTS
    if api_key.startswith(SANDBOX_KEY) != sandbox:
        raise Misconfigured(f"a key that begins with {SANDBOX_KEY} belongs to the sandbox alone")
    if sandbox and not foreign:
        raise Misconfigured("the sandbox needs its own address")
    if not sandbox and not api_key.startswith(LIVE_KEYS + TEST_KEYS):
        raise Misconfigured("a Stripe key begins with sk_live_, rk_live_, sk_test_ or rk_test_")
    if not sandbox and foreign:
        raise Misconfigured("a Stripe key is sent to Stripe alone: leave the address out")


def _plain_session() -> requests.Session:
    """For an address on this machine: no proxy and no .netrc of the environment."""
    session = requests.Session()
    session.trust_env = False
    return session


def _keyed(op_key: str) -> stripe.RequestOptions:
    return {"idempotency_key": writing.key(op_key)}


# --- webhooks --------------------------------------------------------------------------------


def _check_signature(raw: bytes, signature: str, secrets: tuple[str, ...]) -> None:
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(raw, signature, secret)
        except stripe.SignatureVerificationError:
            continue
        except UnicodeDecodeError:
            break
        return
    raise WebhookRefused("forged")


def _signed_at(signature: str) -> datetime:
    """When a header that was verified says it was signed."""
    stamp = next(part[2:] for part in signature.split(",") if part.startswith("t="))
    return reading.moment(int(stamp))
