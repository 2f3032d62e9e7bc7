"""A customer's answer to a quote: accepting it, declining it, asking back. See ``web.quotes``."""

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, Form, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from cart.checkout import CheckoutIncomplete
from cart.quotes.models import QuoteVersion
from cart.quotes.reading import Told
from cart.quotes.refusals import NotAcceptable
from core.kernel.errors import Invalid, NotFound, StaleState
from core.stock.holds import OutOfStock
from flows import accept_quote, talk_about_quote
from flows.accept_quote import CONSENT, Answer
from invoices.figures import figures
from payments.gateway import GatewayError
from web import quotes
from web.context import house
from web.flashes import say
from web.pages import page, show_errors
from web.quotes import Door, MessageForm

REASONS = {
    "price": "It costs too much",
    "scope": "It is not what we need",
    "competitor": "Somebody else’s offer suits us better",
    "timing": "Not now",
    "no_longer": "We do not need it any more",
    "other": "Another reason",
}
PAYMENTS = {"terms": "By bill", "card": "By card, now"}


class AcceptForm(Form):
    """Who accepts, as what, and how it is paid."""

    name = StringField(
        "Your name",
        [InputRequired("Tell us your name."), Length(max=120, message="At most 120 characters.")],
    )
    role = StringField(
        "What you do there",
        [
            InputRequired("Tell us what you do there, such as owner."),
            Length(max=120, message="At most 120 characters."),
        ],
    )
    payment = RadioField("How to pay", validate_choice=False)
    purchase_order = StringField(
        "Your order number", [Length(max=60, message="At most 60 characters.")]
    )
    agrees = BooleanField("Your consent", [InputRequired("Tick this to accept.")])
    version = HiddenField()

    def offer(self, version: QuoteVersion) -> None:
        """The ways of paying that this version offers; one alone is chosen."""
        ways = ["terms", "card"] if version.payment == "either" else [version.payment]
        self.payment.choices = [SelectChoice(way, PAYMENTS[way]) for way in ways]
        if len(ways) == 1 and not self.payment.data:
            self.payment.data = ways[0]


class DeclineForm(Form):
    """Why not."""

    reason = RadioField(
        "Why",
        choices=[SelectChoice(code, text) for code, text in REASONS.items()],
        validate_choice=False,
    )
    note = TextAreaField("More words", [Length(max=1000, message="At most 1000 characters.")])
    version = HiddenField()


def accepting(door: Door, found: Told, form: AcceptForm | None = None) -> str | AnyResponse:
    """The form to accept a version; a friendly page with the reason where that cannot be."""
    asked = request.form if request.method == "POST" else request.args
    version = found.version(quotes.number(asked.get("version")))
    refusal = quotes.why_not(found, version)
    if version is None or refusal or found.quote.state == "accepted":
        return redirect(f"{door.base}?version={version.number}" if version else door.base)
    form = form or AcceptForm(data={"name": door.name, "version": str(version.number)})
    form.offer(version)
    document = quotes.document_of(version)
    return page(
        "shared/quote_accept.html",
        guest=door.is_guest,
        door=door,
        quote=quotes.quote_words(found, "sent"),
        version=quotes.version_words(door, found, version),
        document=document,
        form=form,
        needs_number=found.needs_purchase_order,
        consent=CONSENT,
        said=figures(document.currency, document.locale),
    )


def accept(door: Door, found: Told) -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Accept it: on to the order, or to the page where it is paid."""
    form = AcceptForm(request.form)
    version = found.version(quotes.number(form.version.data))
    if version is None or not door.may_answer:
        raise NotFound("quote to accept")
    form.offer(version)
    if not form.validate():
        return accepting(door, found, form), 422
    try:
        placed = accept_quote.accept(house(), _answer(door, found, version, form))
    except Invalid as error:
        show_errors(form, error)
        return accepting(door, found, form), 422
    except CheckoutIncomplete as error:
        form.purchase_order.errors = [one.text for one in error.requirements]
        return accepting(door, found, form), 422
    except (NotAcceptable, StaleState, OutOfStock) as error:
        say(str(error), "warn")
        return redirect(f"{door.base}?version={version.number}", 303)
    except GatewayError:
        say("Our payment partner does not answer. Nothing was charged; try again.", "warn")
        return redirect(f"{door.base}/accept?version={version.number}", 303)
    if placed.redirect_url is not None:
        return redirect(placed.redirect_url, 303)
    return redirect(f"{house().links.order(placed.public_id)}/thanks", 303)


def _answer(door: Door, found: Told, version: QuoteVersion, form: AcceptForm) -> Answer:
    return Answer(
        public_id=found.quote.public_id,
        version=version.number,
        name=form.name.data or "",
        role=form.role.data or "",
        agrees=bool(form.agrees.data),
        payment=form.payment.data or "",
        ip=request.remote_addr or "",
        user_id=door.user_id,
        purchase_order=" ".join((form.purchase_order.data or "").split()),
    )


def declining(door: Door, found: Told, form: DeclineForm | None = None) -> str | AnyResponse:
    """The form to decline a version."""
    asked = request.form if request.method == "POST" else request.args
    version = found.version(quotes.number(asked.get("version")))
    if version is None or quotes.why_not(found, version) or found.quote.state != "sent":
        return redirect(door.base)
    return page(
        "shared/quote_decline.html",
        guest=door.is_guest,
        door=door,
        quote=quotes.quote_words(found, "sent"),
        version=quotes.version_words(door, found, version),
        form=form or DeclineForm(data={"version": str(version.number)}),
    )


def decline(door: Door, found: Told) -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Say no, with a reason."""
    form = DeclineForm(request.form)
    version = found.version(quotes.number(form.version.data))
    if version is None or not door.may_answer:
        raise NotFound("quote to decline")
    if not form.validate():
        return declining(door, found, form), 422
    try:
        accept_quote.decline(
            house(),
            found.quote.public_id,
            version.number,
            form.reason.data or "",
            form.note.data or "",
            door.name,
            door.user_id,
        )
    except Invalid as error:
        show_errors(form, error)
        return declining(door, found, form), 422
    except GatewayError:
        say("Our payment partner does not answer. Try again in a minute.", "warn")
        return redirect(door.base, 303)
    except (NotAcceptable, StaleState) as error:
        say(str(error), "warn")
        return redirect(door.base, 303)
    say("Thank you for telling us. Nothing was ordered.")
    return redirect(door.base, 303)


def write(door: Door, found: Told) -> str | AnyResponse | tuple[str, int]:
    """Ask back, or add something."""
    form = MessageForm(request.form)
    try:
        talk_about_quote.write(
            house(),
            found.quote.public_id,
            "customer",
            form.text.data or "",
            author=door.name or found.quote.name,
            user_id=door.user_id,
            named=form.once.data or "",
        )
    except Invalid as error:
        show_errors(form, error)
        return quotes.show(door, found, form), 422
    say("Your message is with us. We answer by mail.")
    return redirect(f"{door.base}#messages", 303)
