"""The account's first page: what is owed, by when, one button."""

from flask import Blueprint

from core.kernel.clock import local_date
from flows import account, see_cards
from portal import shown
from web import cards
from web.access import Who, allow
from web.context import house
from web.login import own_accounts, person
from web.pages import page

overview = Blueprint("overview", __name__, template_folder="templates")


@overview.get("/account")
@allow(Who.CUSTOMER)
def show() -> str:
    """What whoever is logged in owes on the accounts that they may see."""
    mine, who = own_accounts(), person()
    assert who is not None
    if not mine:
        return page("portal/no_account.html")
    currency = mine[0].currency
    with house().db.snapshot() as session:
        seen = account.overview(
            session, [row.id for row in mine if row.currency == currency], currency
        )
        found = see_cards.alerts(session, [row.id for row in mine])
    notices = [cards.alert(row, method) for row, method in found]
    here = local_date(house().clock.now(), mine[0].time_zone)
    services, monthly = shown.services(seen, {row.id for row in mine}, here)
    return page(
        "portal/overview.html",
        greeting=shown.greeting(house().clock.now(), who.name),
        account={"number": mine[0].number, "name": mine[0].name, "place": shown.place(mine[0])},
        owed=shown.owed(seen, currency),
        changed=None,
        plot=None,
        plot_title="",
        open_bills=[
            shown.bill(row, seen.open_items.get(row.id), printed=False)
            for row in seen.invoices
            if row.id in seen.open_items
            and seen.open_items[row.id].side == "debit"
            and seen.open_items[row.id].open
        ][:5],
        notices=[each for each in notices if each is not None],
        services=services,
        services_sum=monthly,
        lately=shown.lately(seen, currency),
    )
