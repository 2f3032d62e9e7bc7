"""What checkout asks for taxes' sake: the country, where there are several, and a business's VAT id."""

from babel import Locale
from wtforms.fields import SelectChoice

from cart.models import Cart
from cart.priced import PricedCart
from core.parties import accounts
from core.parties.models import Account
from core.tax import vat_ids
from core.tax.buyers import Known
from flows import taxing
from storefront.forms import AddressForm, CheckoutForm, EstimateForm
from web import place_forms
from web.context import channel, countries, house
from web.login import person


def offer(form: CheckoutForm) -> None:
    """Give the form its countries; what this shop has no use for is left out."""
    if not taxing.asks_vat_id(channel()[1].country):
        del form.vat_id
    offer_places(form)


def offer_places(form: CheckoutForm | AddressForm | EstimateForm) -> None:
    """Give a form its countries, and only the fields that they have."""
    found, codes = channel()[0], countries()
    place_forms.fit(form, country(form))
    if len(codes) < 2:
        del form.country
        return
    names = Locale.parse(found.locale).territories
    choices = [(code, names.get(code, code)) for code in codes]
    form.country.choices = [SelectChoice(*one) for one in sorted(choices, key=lambda one: one[1])]
    form.country.data = country(form)


def country(form: CheckoutForm | AddressForm | EstimateForm) -> str:
    """Where it goes: what was chosen, else where the shop is."""
    return (form.country.data if "country" in form else "") or channel()[1].country


def vat_id(form: CheckoutForm) -> str:
    """What was typed, in a shop that asks for it."""
    typed = form.vat_id.data if "vat_id" in form else ""
    return (typed or "").strip() if taxing.asks_vat_id(channel()[1].country) else ""


def ask_register(form: CheckoutForm) -> None:
    """Ask the register about a VAT id, so that the sums are right."""
    taxing.ask_register(house(), vat_id(form))


def known(mine: Cart, typed: str) -> Known:
    """Who buys, for taxes."""
    return taxing.known(house(), _buyer(mine), typed, is_guest=person() is None)


def _buyer(mine: Cart) -> Account | None:
    who = person()
    with house().db.reading() as session:
        if who is not None:
            return accounts.buying_account(session, who.key, channel()[0].legal_entity_id)
        return session.get(Account, mine.account_id) if mine.account_id else None


def needs_purchase_order(mine: Cart) -> bool:
    """Does the account that will pay want a number of its own on each order?"""
    account = _buyer(mine)
    return account is not None and account.needs_purchase_order


def note(form: CheckoutForm, priced: PricedCart, place: str) -> str:
    """What becomes of a VAT id that was told, in words."""
    seller = channel()[1].country
    if priced.reverse_charge:
        return "No VAT is charged: your business accounts for it."
    if not vat_id(form) or not vat_ids.is_reverse_charge(seller, priced.vat_id, place):
        return ""
    return (
        "VAT is charged: the register of VAT ids does not confirm this one now. Look at it again, or "
        "work the sums out once more in a while."
    )
