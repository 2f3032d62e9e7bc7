"""The fixed words of documents, by locale: one table, complete for each language that we print in.

Asked by the printed document and its page alike. A language that is not here reads English, with figures
after its own locale. Merchants' texts (names, messages) are never translated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

#: So many of a line's numbers are named.
NAMED = 3


@dataclass(frozen=True)
class Words:
    """Every fixed word and sentence; ``{}`` are filled in."""

    language: str
    invoice: str = "Invoice"
    credit_memo: str = "Credit memo"
    debit_memo: str = "Debit memo"
    note: str = "Note"
    quote: str = "Quote"
    draft: str = "Draft"
    # the headline
    not_yet_a_bill: str = "Draft, not yet a bill"
    so_far: str = "so far"
    nothing_yet: str = "Nothing to pay yet"
    for_records: str = "For your records"
    on: str = "on"
    credit_to_you: str = "Credit to you"
    kept_for_you: str = "kept for you"
    on_account: str = "On your account"
    on_invoice: str = "on invoice"
    please_pay: str = "Please pay"
    bill: str = "Bill"
    due: str = "due"
    by: str = "by"
    was_due: str = "it was due on"
    on_receipt: str = "On receipt"
    in_your_favor: str = "In your favor"
    nothing_to_pay_: str = "nothing to pay"
    paid_thanks: str = "Paid, thank you"
    in_full: str = "in full"
    nothing_left: str = "Nothing left to pay"
    no_charge: str = "No charge"
    nothing_to_pay: str = "Nothing to pay"
    we_offer: str = "We offer you"
    valid_until: str = "valid until"
    # facts
    dated: str = "Dated"
    account: str = "Account"
    billed_to: str = "For"
    period: str = "Period"
    order: str = "Order"
    your_order: str = "Your order"
    cost_centre: str = "Cost centre"
    corrects: str = "Corrects"
    because: str = "Because of"
    terms: str = "Terms"
    service_at: str = "Service at"
    delivered_to: str = "Delivered to"
    tax_number: str = "Tax number {}"
    # lines and sums
    charges: str = "Charges"
    given_back: str = "Given back"
    in_groups: str = "Charges in {} groups"
    in_short: str = "In short"
    quantity: str = "Quantity"
    bundle_sum: str = "together {}"
    together: str = "Together"
    before_tax: str = "Before tax"
    before_delivery: str = "Before tax and delivery"
    contains_tax: str = "Contains {amount} {name}, {rate} of {base}."
    delivery: str = "Delivery"
    total: str = "Total"
    credit: str = "Credit"
    to_pay: str = "To pay"
    to_pay_so_far: str = "To pay, so far"
    due_at_acceptance: str = "Due when you accept"
    then_each_month: str = "Then each month"
    then_each_year: str = "Then each year"
    before_and_tax: str = "{net} and {tax} tax"
    what_you_get: str = "What you get"
    first_period: str = "the first {every}, then each {every}"
    month: str = "month"
    year: str = "year"
    for_term: str = "for {months} months"
    list_price: str = "list price {price}"
    you_save: str = "You save {amount} on our list prices over the terms: {reason}."
    you_save_simply: str = "You save {amount} on our list prices over the terms."
    how_to_accept: str = "To accept it, use the link in our mail, or your account."
    pages: str = "of"
    rate_of: str = "{rate} of {base}"
    contains: str = "Contains"
    exempt_base: str = "certificate {number}, {base} free of tax"
    reverse_base: str = "reverse charge on {base}"
    price_without_tax: str = "Its price without the tax"
    your_vat_id: str = "Your VAT id"
    reverse_charge: str = (
        "Reverse charge: you account for the VAT. Services: Articles 44 and 196 of Directive "
        "2006/112/EC. Goods: exempt intra-Community supply, its Article 138."
    )
    reasons_later: str = "Every line, with its reason, from page 2 on."
    reasons_below: str = "Every line, with its reason, below."
    why_this_amount: str = "Why this amount"
    days_to: str = "{first} to {last}"
    # asking
    question: str = "Something wrong, or a question? {ways}."
    dispute: str = (
        "Something wrong? Say so by {by}: {ways}. "
        "A line you dispute is not due while we look into it."
    )
    or_: str = " or "
    # the stub
    pay_stub: str = "Pay stub"
    due_on: str = "Due"
    amount_enclosed: str = "Amount enclosed"
    pay_to: str = "Pay to"
    scan_to_pay: str = "Scan to pay"
    code_alt: str = "Code that opens the pay page"
    pay_code: str = "Without logging in: with your account number and the pay code {}"
    pay_online: str = "Pay online at"
    tear_here: str = "Tear here"
    by_check: str = "Pay stub, for paying by check"
    paid_since: str = "Paid since: {paid}. Still open: {open}."
    # terms
    paid_in_full: str = "Paid in full. Thank you."
    nothing_due: str = "There is nothing to pay."
    new_service: str = "New since your last bill: {service}, from {day}."
    changed_plan: str = (
        "Changed since your last bill: {now} in place of {before} from {day}, "
        "{price} in place of {old_price}."
    )
    changed_quantity: str = (
        "Changed since your last bill: {now} of {service} in place of {before} from {day}."
    )
    pay_on_receipt: str = "Please pay on receipt."
    pay_within: str = "Please pay within {days} days."
    pay_by: str = "Please pay by {day}."
    discount: str = "Pay {amount} by {day}, and {saved} ({percent}) is yours to keep."
    your_payment: str = "Your payment {}. Thank you"
    your_credit: str = "Your credit {}"
    # groups
    bundle: str = "Bundles"
    physical: str = "Devices"
    digital: str = "Downloads"
    service: str = "Visits"
    plan: str = "First month"
    plan_year: str = "First year"
    gift_card: str = "Gift cards"
    services: str = "Services"
    usage: str = "Usage"
    trial: str = "To try, free of charge"
    and_more: str = "{} and {} more"
    # why a memo was made
    void: str = "Taken back in full"
    returned: str = "Returned"
    cancelled: str = "Cancelled before it was sent"
    wrong: str = "We billed it wrongly"
    goodwill: str = "A courtesy"
    disputed: str = "You disputed it"
    early_payment: str = "Early payment"
    more_used: str = "More than was billed"
    not_used: str = "Days that are not used"
    late_fee: str = "Late fee"
    late_fee_of: str = "{number} was due on {day}."
    fee_waived: str = "Late fee taken back"
    # why an amount is what it is
    why_price: str = "Price each"
    why_quantity: str = "Quantity"
    why_days: str = "Days used"
    why_days_of: str = "{days} of {of}"
    why_rounded: str = "Rounded by"
    why_result: str = "Amount"
    why_prorated: str = "You had it for {days} of the {of} days, so we charge for those."
    why_repaired: str = (
        "You do not use {days} of the {of} days you were billed for: we give them back."
    )
    why_period: str = "Counted over the days of this period."
    why_year: str = "Counted over a year of 365 days."
    why_month: str = "Counted over months of 30 days."
    why_tiers: str = "Priced in steps: each part of what you used at its own price."
    why_tier: str = "{quantity} at {price}"
    why_percent: str = "{percent} of {of}."
    why_off: str = "An amount off, as agreed."
    why_off_share: str = "Its part of {of} off: {weight} of {of_weight}."
    why_share: str = "Its part of the bundle’s price of {of}: {weight} of {of_weight}."
    why_share_whole: str = "The bundle’s price of {of} is for this alone."
    why_credit: str = "{amount} of the {of} on invoice {source}, with the same tax."
    why_more: str = "More on a line of invoice {source}, at the same tax."
    why_fixed: str = "A price as agreed."
    why_limit: str = "No more than {limit} of that charge was left to give back."
    why_list: str = "Price list"
    why_before: str = "Billed before"
    # what became of a credit
    credit_settles: str = "{amount} of it lowers what is open on invoice {number}."
    credit_kept: str = "{amount} is kept for you, for any bill."
    credit_moved: str = "{amount} pays what was added to your order instead."
    credit_refunded: str = "{amount} goes back to you, the way you paid."


EN = Words("en")
GB = replace(
    EN,
    in_your_favor="In your favour",
    credit_memo="Credit note",
    debit_memo="Debit note",
    tax_number="VAT number {}",
    by_check="Pay stub, for paying by cheque",
)
DE = Words(
    language="de",
    invoice="Rechnung",
    credit_memo="Rechnungskorrektur",
    debit_memo="Nachberechnung",
    note="Beleg",
    quote="Angebot",
    draft="Entwurf",
    not_yet_a_bill="Entwurf, noch keine Rechnung",
    so_far="bisher",
    nothing_yet="Noch nichts zu zahlen",
    for_records="Für Ihre Unterlagen",
    on="am",
    credit_to_you="Gutschrift für Sie",
    kept_for_you="für Sie verwahrt",
    on_account="Auf Ihrem Kundenkonto",
    on_invoice="zur Rechnung",
    please_pay="Bitte zahlen Sie",
    bill="Rechnung",
    due="fällig",
    by="bis",
    was_due="fällig war es am",
    on_receipt="Sofort",
    in_your_favor="Zu Ihren Gunsten",
    nothing_to_pay_="nichts zu zahlen",
    paid_thanks="Bezahlt, vielen Dank",
    in_full="vollständig",
    nothing_left="Nichts mehr zu zahlen",
    no_charge="Kostenlos",
    nothing_to_pay="Nichts zu zahlen",
    we_offer="Wir bieten Ihnen an",
    valid_until="gültig bis",
    dated="Datum",
    account="Kundennummer",
    billed_to="Für",
    period="Zeitraum",
    order="Bestellung",
    your_order="Ihre Bestellung",
    cost_centre="Kostenstelle",
    corrects="Zur Rechnung",
    because="Grund",
    terms="Zahlung",
    service_at="Anschluss in",
    delivered_to="Geliefert an",
    tax_number="USt-IdNr. {}",
    charges="Leistungen",
    given_back="Zurückgegeben",
    in_groups="Leistungen in {} Gruppen",
    in_short="Kurz gefasst",
    quantity="Menge",
    bundle_sum="zusammen {}",
    together="Zusammen",
    before_tax="Vor Steuern",
    before_delivery="Vor Steuern und Lieferung",
    contains_tax="Enthält {amount} {name}, {rate} von {base}.",
    delivery="Lieferung",
    total="Summe",
    credit="Gutschrift",
    to_pay="Zu zahlen",
    to_pay_so_far="Zu zahlen, bisher",
    due_at_acceptance="Fällig bei Annahme",
    then_each_month="Danach jeden Monat",
    then_each_year="Danach jedes Jahr",
    before_and_tax="{net} und {tax} Steuer",
    what_you_get="Was Sie bekommen",
    first_period="erster Zeitraum ({every}), danach ebenso ({every})",
    month="Monat",
    year="Jahr",
    for_term="für {months} Monate",
    list_price="Listenpreis {price}",
    you_save="Sie sparen über die Laufzeiten {amount} gegenüber unserer Preisliste: {reason}.",
    you_save_simply="Sie sparen über die Laufzeiten {amount} gegenüber unserer Preisliste.",
    how_to_accept="Annehmen können Sie es mit dem Link in unserer Mail oder in Ihrem Kundenkonto.",
    pages="von",
    rate_of="{rate} von {base}",
    contains="Enthält",
    exempt_base="Bescheinigung {number}, {base} steuerfrei",
    reverse_base="Reverse Charge auf {base}",
    price_without_tax="Der Preis ohne Steuer",
    your_vat_id="Ihre USt-IdNr.",
    reverse_charge=(
        "Reverse Charge: Steuerschuldnerschaft des Leistungsempfängers. Leistungen: Artikel 44 und "
        "196 der Richtlinie 2006/112/EG. Waren: steuerfreie innergemeinschaftliche Lieferung, "
        "Artikel 138."
    ),
    reasons_later="Jede Position mit ihrer Begründung ab Seite 2.",
    reasons_below="Jede Position mit ihrer Begründung weiter unten.",
    why_this_amount="Warum dieser Betrag",
    days_to="{first} bis {last}",
    question="Stimmt etwas nicht, oder haben Sie eine Frage? {ways}.",
    dispute=(
        "Stimmt etwas nicht? Sagen Sie es bis {by}: {ways}. "
        "Eine Position, die Sie beanstanden, ist nicht fällig, solange wir prüfen."
    ),
    or_=" oder ",
    pay_stub="Zahlabschnitt",
    due_on="Fällig",
    amount_enclosed="Betrag",
    pay_to="Zahlung an",
    scan_to_pay="Zum Zahlen scannen",
    code_alt="Code, der die Zahlseite öffnet",
    pay_code="Ohne Anmeldung: mit Kontonummer und Zahlcode {}",
    pay_online="Online zahlen unter",
    tear_here="Hier abtrennen",
    by_check="Zahlabschnitt",
    paid_since="Seither bezahlt: {paid}. Noch offen: {open}.",
    paid_in_full="Vollständig bezahlt. Vielen Dank.",
    nothing_due="Es ist nichts zu zahlen.",
    new_service="Neu seit der letzten Rechnung: {service}, ab {day}.",
    changed_plan=(
        "Geändert seit der letzten Rechnung: {now} statt {before} ab {day}, {price} statt {old_price}."
    ),
    changed_quantity="Geändert seit der letzten Rechnung: {now} × {service} statt {before} ab {day}.",
    pay_on_receipt="Bitte zahlen Sie sofort nach Erhalt.",
    pay_within="Bitte zahlen Sie innerhalb von {days} Tagen.",
    pay_by="Bitte zahlen Sie bis zum {day}.",
    discount="Zahlen Sie {amount} bis zum {day}, und {saved} ({percent} Skonto) gehören Ihnen.",
    your_payment="Ihre Zahlung {}. Vielen Dank",
    your_credit="Ihr Guthaben {}",
    bundle="Pakete",
    physical="Geräte",
    digital="Downloads",
    service="Termine",
    plan="Erster Monat",
    plan_year="Erstes Jahr",
    gift_card="Geschenkkarten",
    services="Dienste",
    usage="Verbrauch",
    trial="Kostenlos zum Ausprobieren",
    and_more="{} und {} weitere",
    void="Vollständig zurückgenommen",
    returned="Rückgabe",
    cancelled="Vor dem Versand storniert",
    wrong="Falsch berechnet",
    goodwill="Kulanz",
    disputed="Von Ihnen beanstandet",
    early_payment="Skonto",
    more_used="Mehr, als berechnet war",
    not_used="Tage, die nicht genutzt werden",
    late_fee="Mahngebühr",
    late_fee_of="{number} war am {day} fällig.",
    fee_waived="Mahngebühr erlassen",
    why_price="Einzelpreis",
    why_quantity="Menge",
    why_days="Genutzte Tage",
    why_days_of="{days} von {of}",
    why_rounded="Gerundet um",
    why_result="Betrag",
    why_prorated="Sie hatten es an {days} von {of} Tagen; nur diese berechnen wir.",
    why_repaired="{days} von {of} berechneten Tagen nutzen Sie nicht: Wir geben sie zurück.",
    why_period="Gezählt über die Tage dieses Zeitraums.",
    why_year="Gezählt über ein Jahr mit 365 Tagen.",
    why_month="Gezählt über Monate mit 30 Tagen.",
    why_tiers="In Stufen: jeder Teil Ihrer Nutzung zu seinem Preis.",
    why_tier="{quantity} zu {price}",
    why_percent="{percent} von {of}.",
    why_off="Ein Nachlass, wie vereinbart.",
    why_off_share="Der Anteil an {of} Nachlass: {weight} von {of_weight}.",
    why_share="Der Anteil am Paketpreis von {of}: {weight} von {of_weight}.",
    why_share_whole="Der Paketpreis von {of} gilt allein dafür.",
    why_credit="{amount} von {of} auf Rechnung {source}, mit derselben Steuer.",
    why_more="Mehr zu einer Position der Rechnung {source}, mit derselben Steuer.",
    why_fixed="Ein Preis wie vereinbart.",
    why_limit="Von diesem Betrag waren nur noch {limit} übrig.",
    why_list="Preisliste",
    why_before="Schon berechnet",
    credit_settles="{amount} davon mindern, was auf Rechnung {number} offen ist.",
    credit_kept="{amount} bleiben für Sie gutgeschrieben, für jede Rechnung.",
    credit_moved="{amount} bezahlen, was stattdessen zu Ihrer Bestellung dazukam.",
    credit_refunded="{amount} gehen an Sie zurück, so wie Sie gezahlt haben.",
)
#: The most exact locale first.
_TABLE = {"en": EN, "en-GB": GB, "de": DE}


@lru_cache(maxsize=64)
def words(locale: str) -> Words:
    """The words for ``en-GB``, ``de_AT`` and the like; English where there are none."""
    name = locale.replace("_", "-")
    return _TABLE.get(name) or _TABLE.get(name.partition("-")[0]) or EN


def first_few(numbers: Sequence[str], said: Words) -> str:
    """The numbers of a line: the first three, and how many more there are."""
    if len(numbers) <= NAMED:
        return ", ".join(numbers)
    return said.and_more.format(", ".join(numbers[:NAMED]), len(numbers) - NAMED)
