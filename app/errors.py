"""Errors become answers here alone: a page for people, problem+json for programs."""

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException

from api.problems import (
    BadToken,
    CartChanged,
    InvalidRequest,
    KeyMissing,
    KeyTooShort,
    MalformedJson,
    ScopeMissing,
    TokenMissing,
    TooManyRequests,
    WrongContentType,
)
from cart.checkout import CheckoutIncomplete, TotalChanged
from cart.goods import BadQuantity, QuantityStep, TooFew, TooMany
from cart.holds import TooManyForOne
from cart.lines import CartClosed
from cart.quotes.refusals import (
    NothingToQuote,
    OverTheBuyersLimit,
    OwnQuote,
    QuoteIncomplete,
    QuoteRefused,
)
from cart.sharing import NothingToShare
from cart.slots import SlotGone
from cms_content.publishing import ScheduledAlready, Unfinished
from core.catalog.editing import TakenAlready
from core.catalog.products import UnknownSku
from core.hooks.endpoints import EndpointOff, TooManyEndpoints
from core.kernel import db
from core.kernel.errors import Forbidden, Invalid, NotFound, ShopError, StaleState
from core.kernel.idempotency import KeyInFlight, KeyReused
from core.kernel.money import Money
from core.kernel.pictures import FileTooLarge, PictureRefused
from core.ledger.contested import NothingToContest
from core.ledger.gift_cards import GiftCardInUse, GiftCardUnknown, GiftCardUsed
from core.ledger.journal import PeriodClosed
from core.ledger.memos import ChargedBack
from core.ledger.periods import ClosedAlready, NotYetOver
from core.ledger.rates import NoRate
from core.ledger.returns import RefundTooMuch
from core.ledger.reversals import CannotUndo
from core.ledger.splitting import TenderTooSmall
from core.ledger.writeoffs import RequestedAlready, SamePerson, TooMuchToWriteOff
from core.orders.changing import AskedAlready
from core.orders.fulfilling import NothingChosen, OrderRefused, WrongKind
from core.parties.moves import ParentRefused
from core.parties.second_step import TooManyWrongCodes, WrongCode
from core.parties.staff import LastAdmin
from core.parties.tokens import TooManyTokens
from core.parties.users import DeadLink, WrongLogin
from core.prices.resolve import NoPrice
from core.prices.setting import NoPriceList
from core.stock.back_orders import BackOrderWaits
from core.stock.holds import OutOfStock
from core.stock.picks import AllAreChosen, NoSuchNumber
from core.stock.refusals import StockRefused
from core.stock.sold import NotOnHand
from core.stock.transfers import NotFree
from core.subscriptions.errors import NotTaken, ServiceRefused
from core.subscriptions.trial_claims import TrialRefused
from core.subscriptions.trials import NothingToGoOn, TrialOver
from core.tax.rates import RateOverlaps
from core.tax.service import NoTaxAnswer
from core.tax.vat_ids import WrongVatId
from desk import used_forms
from flows.change_service import BillMoved, NotBillable
from flows.choose_tenders import GiftCardForGiftCard
from flows.claim_order import ClaimRefused
from flows.guest_pay import PayCodeUnknown
from flows.import_stock import LineRefused, StockMoved
from flows.manage_cards import CardGone, CardNeeded, NotAgain
from flows.pay_amount import AllocationChanged, AmountRefused
from flows.pay_bill import BillsChanged, DifferentPayers, NothingToPay, TooManyBills
from flows.refund_payment import OfAnOrder
from flows.schedule_payment import NoLongerPlanned
from flows.set_up_method import SetupMismatch
from flows.settle_payment import PaymentMismatch
from flows.start_payment import ChargeUnderWay
from flows.start_trial import HasThePlan, NoAccount, WordsChanged
from flows.wait_for_stock import OfferOver
from invoices.billing.runs import DayAhead, TooLongAgo
from invoices.correcting import MoreThanTheLine
from invoices.disputes.refusals import (
    CreditTooMuch,
    CreditTooSmall,
    DisputedTooMuch,
    DisputeRefused,
    OwnDispute,
)
from invoices.drafts import NothingToIssue
from invoices.memos import MemoBelowZero, MoreThanTheBill, NotCorrectable, NothingToCredit
from payments.autopay import AutoPayRuns
from payments.dunning.cases import PromiseRefused
from payments.evidence import EvidenceOver, NothingToSend
from payments.gateway import GatewayError, Misconfigured, WebhookRefused
from payments.scheduled import BeingCharged
from web import moves
from web.access import RoleMissing
from web.context import request_id
from web.csrf import Forged
from web.documents import NotPrinted
from web.limits import wait_seconds
from web.pages import Shopfront, shopfront

_log = structlog.get_logger("web")

#: The nearest class in the error's ancestry decides.
STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    UnknownSku: 404,
    Forbidden: 403,
    Forged: 403,
    WrongLogin: 401,
    Invalid: 422,
    Unfinished: 422,
    ScheduledAlready: 409,
    CheckoutIncomplete: 422,
    BadQuantity: 422,
    TooMany: 422,
    TooManyForOne: 422,
    OfferOver: 409,
    NotFree: 409,
    StockMoved: 409,
    LineRefused: 409,
    TooFew: 422,
    NothingToShare: 422,
    SlotGone: 409,
    ClaimRefused: 409,
    QuantityStep: 422,
    NoPrice: 422,
    DeadLink: 410,
    StaleState: 409,
    AskedAlready: 409,
    OrderRefused: 409,
    NothingChosen: 422,
    WrongKind: 422,
    BackOrderWaits: 409,
    NotOnHand: 409,
    TakenAlready: 409,
    NoPriceList: 409,
    StockRefused: 409,
    RateOverlaps: 409,
    WrongVatId: 422,
    NoTaxAnswer: 503,
    NotPrinted: 404,
    CartClosed: 409,
    OutOfStock: 409,
    NoSuchNumber: 422,
    AllAreChosen: 409,
    PeriodClosed: 409,
    NotYetOver: 422,
    ClosedAlready: 409,
    NoRate: 422,
    CannotUndo: 409,
    NothingToContest: 422,
    ChargedBack: 409,
    SamePerson: 403,
    TooMuchToWriteOff: 422,
    RequestedAlready: 409,
    ParentRefused: 422,
    TotalChanged: 409,
    ServiceRefused: 409,
    NotTaken: 422,
    BillMoved: 409,
    NotBillable: 409,
    QuoteRefused: 409,
    TrialRefused: 409,
    TrialOver: 409,
    NothingToGoOn: 409,
    HasThePlan: 409,
    WordsChanged: 409,
    NoAccount: 422,
    DayAhead: 422,
    TooLongAgo: 422,
    QuoteIncomplete: 422,
    NothingToQuote: 422,
    OwnQuote: 403,
    OverTheBuyersLimit: 403,
    GiftCardUnknown: 422,
    GiftCardInUse: 409,
    GiftCardUsed: 409,
    GiftCardForGiftCard: 422,
    TenderTooSmall: 422,
    RefundTooMuch: 409,
    OfAnOrder: 409,
    BillsChanged: 409,
    NothingToPay: 409,
    TooManyBills: 422,
    AllocationChanged: 409,
    AmountRefused: 422,
    PayCodeUnknown: 422,
    PromiseRefused: 422,
    NothingToIssue: 422,
    NotCorrectable: 409,
    NothingToCredit: 422,
    MoreThanTheLine: 422,
    DisputeRefused: 409,
    EvidenceOver: 409,
    NothingToSend: 409,
    DisputedTooMuch: 422,
    CreditTooMuch: 422,
    CreditTooSmall: 422,
    OwnDispute: 403,
    MoreThanTheBill: 422,
    MemoBelowZero: 422,
    DifferentPayers: 422,
    PictureRefused: 422,
    FileTooLarge: 413,
    KeyInFlight: 409,
    KeyReused: 422,
    CartChanged: 412,
    KeyTooShort: 400,
    PaymentMismatch: 409,
    SetupMismatch: 409,
    ChargeUnderWay: 409,
    BeingCharged: 409,
    AutoPayRuns: 409,
    CardNeeded: 409,
    CardGone: 409,
    NotAgain: 409,
    NoLongerPlanned: 409,
    WebhookRefused: 400,
    MalformedJson: 400,
    KeyMissing: 400,
    TokenMissing: 401,
    BadToken: 401,
    ScopeMissing: 403,
    RoleMissing: 403,
    TooManyTokens: 409,
    TooManyEndpoints: 409,
    EndpointOff: 409,
    LastAdmin: 409,
    WrongCode: 401,
    TooManyWrongCodes: 403,
    WrongContentType: 415,
    InvalidRequest: 422,
    TooManyRequests: 429,
    Misconfigured: 500,
    GatewayError: 503,
    ShopError: 400,
}

_TITLES = {
    400: ("That did not work", "The request could not be read."),
    401: ("Please log in", "This page is for people who are logged in."),
    403: ("Not for you", "You may not see or do this."),
    404: ("Nothing here", "There is no such page, or it is not yours."),
    405: ("That did not work", "This page cannot be asked in that way."),
    409: ("It has changed", "Somebody was quicker, or it was done already."),
    412: ("It is not as you saw it", "Somebody changed it since you read it."),
    410: ("This link is used up", "It was used before, or it is too old."),
    413: ("That is too large", "What was sent is larger than we take."),
    415: ("That did not work", "What was sent is not of a kind that we take."),
    422: ("Something needs a look", "Some of what was sent cannot be taken."),
    429: ("One moment", "That was a little too often."),
    500: ("That was our mistake", "Something broke on our side. Nothing was lost."),
    503: ("One moment", "Our payment partner does not answer right now. Nothing was charged."),
}


def status_of(error: ShopError) -> int:
    """The HTTP status of an expected failure."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def install(app: Flask) -> None:
    """Answer every failure in words, or in problem+json for programs."""
    app.register_error_handler(ShopError, _expected)
    app.register_error_handler(RateLimitExceeded, _too_often)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def for_programs() -> bool:
    """Does a program ask?"""
    return request.path.startswith(("/api/", "/webhooks/"))


def _expected(error: ShopError) -> tuple[Response | str, int]:
    if isinstance(error, NotFound) and (moved := moves.follow()) is not None:
        return moved, moved.status_code
    if isinstance(error, KeyReused) and (back := used_forms.back()) is not None:
        return back, back.status_code
    status = status_of(error)
    if status >= 500:
        # What broke on our side stands in the log; whoever asked learns no more than that.
        _log.error("request.failed", code=error.code, error=str(error))
        return answer(status, error.code, _TITLES[status][1], {})
    title = "Not in your role" if isinstance(error, RoleMissing) else None
    return answer(status, error.code, str(error), _plain(error.facts()), title)


def _too_often(error: RateLimitExceeded) -> Response:
    wait, limit = wait_seconds(), str(error.limit.limit).replace("per 1 ", "per ")
    text = f"At most {limit} here. Try again in {wait} seconds."
    facts = {"limit": limit, "retry_after_seconds": wait}
    body, status = answer(429, "too_many_requests", text, facts)
    response = body if isinstance(body, Response) else Response(body, mimetype="text/html")
    response.status_code = status
    response.headers["Retry-After"] = str(wait)
    return response


def _once_more(error: Exception) -> Any:
    """The connection to the database broke before anything was written: nobody need see that."""
    g.again = True
    _log.warning("request.again", error=type(error).__name__)
    try:
        early = current_app.preprocess_request()
        return early if early is not None else current_app.dispatch_request()
    except Exception as another:  # it is answered as it would have been the first time
        return current_app.handle_user_exception(another)


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    if status == 404 and (moved := moves.follow()) is not None:
        return moved
    title, text = _TITLES.get(status, _TITLES[400])
    body, _ = answer(status, f"http_{status}", text, {}, title=title)
    response = body if isinstance(body, Response) else Response(body, mimetype="text/html")
    response.status_code = status
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Any:
    if db.is_lost(error) and not g.get("again") and g.get("transactions") == db.begun():
        return _once_more(error)
    _log.exception("request.broke", error=type(error).__name__)
    return answer(500, "internal_error", _TITLES[500][1], {})


def answer(
    status: int, code: str, text: str, facts: dict[str, Any], title: str | None = None
) -> tuple[Response | str, int]:
    """One failure as a page, or as RFC 9457 problem+json."""
    title = title or _TITLES.get(status, _TITLES[400])[0]
    if for_programs():
        problem = {
            "type": f"urn:counterfoil:problem:{code}",
            "title": title,
            "status": status,
            "detail": text,
            "code": code,
            **facts,
            "request_id": request_id(),
        }
        response = jsonify(problem)
        response.mimetype = "application/problem+json"
        return response, status
    links = [("Back to the shop", "/"), ("My bill", "/account")]
    if code == RoleMissing.code:
        links = [("Back to the desk", "/desk")]
    page = render_template(
        "errors/error.html",
        channel=_front(),
        nav_categories=[],
        cacheable=True,
        status=status,
        title=title,
        text=text,
        code=code,
        request_id=request_id(),
        links=links,
    )
    return page, status


def _front() -> Shopfront:
    """The shop's name, or none of it when the database that knows it is what failed."""
    try:
        return shopfront()
    except Exception:  # an error page must stand whatever broke
        return Shopfront("Shop", "", "", "", "", "en-US")


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"amount": value.minor, "currency": value.currency}
        if isinstance(value, Money)
        else value
        for name, value in facts.items()
    }
