"""The account's first page: what is owed, by when, what is past due, one button."""

from flask import Blueprint

from core.kernel.clock import local_date
from flows import account, see_cards
from portal import owing, shown
from web import wallet
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
    here = local_date(house().clock.now(), mine[0].time_zone)
    keys = [row.id for row in mine if row.currency == currency]
    with house().db.snapshot() as session:
        seen = account.overview(session, keys, currency, here)
        found = see_cards.alerts(session, [row.id for row in mine])
    notices = [wallet.alert(row, method) for row, method in found]
    services, monthly = shown.services(seen, {row.id for row in mine}, here)
    return page(
        "portal/overview.html",
        greeting=shown.greeting(house().clock.now(), who.name),
        account={"number": mine[0].number, "name": mine[0].name, "place": shown.place(mine[0])},
        owed=owing.owed(seen, currency, here),
        changed=None,
        plot=None,
        plot_title="",
        open_bills=[
            shown.bill(seen.documents[item.source_id], item, printed=False)
            for item in seen.owed
            if item.source_id in seen.documents
        ],
        notices=[each for each in notices if each is not None],
        services=services,
        services_sum=monthly,
        lately=shown.lately(seen, currency),
    )
