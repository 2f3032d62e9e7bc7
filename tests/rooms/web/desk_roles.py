"""Which role opens what of the desk: the longest start of an address decides; an admin may everything.

A line is: method or ``*``, the start of the address as the route writes it, and the roles; ``all`` is
everybody at the desk, even without a role, ``admin`` nobody else.
"""

from collections.abc import Iterator

from core.parties.roles import ANY_ROLE, Role
from tests.rooms.web.routes import ROUTES, Route
from web.access import Who

TABLE = """
*    /desk/logout                                all
*    /desk/styleguide                            all
*    /desk/me                                    all
*    /desk/again                                 all
*    /desk/staff                                 admin
*    /desk/orders                                sales billing support
*    /desk/orders/<public_id>/refund             billing
*    /desk/orders/<public_id>/ship               sales support
*    /desk/orders/<public_id>/change             sales support
*    /desk/orders/<public_id>/provide            sales support
*    /desk/orders/<public_id>/ready              sales support
*    /desk/pick-ups                              sales support
*    /desk/orders/<public_id>/approve            sales billing
*    /desk/to-check                              sales billing support
*    /desk/to-check/rules                        sales billing
*    /desk/customers                             sales billing support
*    /desk/customers/new                         sales support
*    /desk/customers/<public_id>/                sales support
*    /desk/products                              sales content
*    /desk/delivery                              sales
*    /desk/delivery/times                        sales support
*    /desk/price-lists                           sales
*    /desk/phone-orders                          sales support
*    /desk/stock                                 sales support
POST /desk/stock                                 sales
*    /desk/stock/holds/<uuid:hold_id>/release    sales
POST /desk/stock/waits                           sales
POST /desk/stock/back-orders                     sales
POST /desk/stock/transfers                       sales
*    /desk/stock/places                          sales
*    /desk/stock/import                          sales
*    /desk/stock/hold-rules                      sales
*    /desk/parcels                               sales support
*    /desk/returns                               sales billing support
*    /desk/quotes                                sales
*    /desk/gift-cards                            sales billing support
POST /desk/gift-cards                            billing
*    /desk/services                              sales support
*    /desk/provisioning                          sales support
*    /desk/services/<public_id>/usage            billing support
GET  /desk/trials                                sales support
POST /desk/trials/follow-ups                     sales support
GET  /desk/trials/report                         sales
*    /desk/trials/offers                         sales
GET  /desk/invoices                              sales billing support
GET  /desk/invoices/<public_id>/                 billing
POST /desk/invoices                              billing
*    /desk/invoices/<public_id>/lines            billing support
*    /desk/disputes                              billing support
*    /desk/drafts                                billing
*    /desk/terms                                 billing
*    /desk/statements                            billing support
*    /desk/bill-runs                             billing
*    /desk/parked                                billing
GET  /desk/reconciler                            billing support
POST /desk/reconciler                            billing
*    /desk/past-due                              billing support
*    /desk/past-due/<public_id>/waive            billing
GET  /desk/chargebacks                           billing support
POST /desk/chargebacks                           billing
*    /desk/payments                              billing support
POST /desk/payments                              billing
GET  /desk/payments/<public_id>/refund           billing
*    /desk/tax                                   billing
*    /desk/ledger                                billing
*    /desk/ledger/accounts                       billing support
*    /desk/money                                 billing
*    /desk/write-offs                            billing
*    /desk/periods                               billing
*    /desk/rates                                 billing
*    /desk/content                               content
*    /desk/audit                                 admin
*    /desk/jobs                                  admin
*    /desk/keys                                  admin
*    /desk/webhooks                              admin
"""
#: Of some pages everybody who sees the list sees more than those who may act.
_EXACTLY = {
    "GET /desk": ANY_ROLE,
    "GET /desk/services": frozenset({Role.SALES, Role.BILLING, Role.SUPPORT}),
    "GET /desk/services/export.csv": frozenset({Role.SALES, Role.BILLING, Role.SUPPORT}),
    "GET /desk/services/<public_id>": frozenset({Role.SALES, Role.BILLING, Role.SUPPORT}),
}


def _read() -> Iterator[tuple[str, str, frozenset[Role]]]:
    for line in TABLE.strip().splitlines():
        method, start, *names = line.split()
        roles = ANY_ROLE if names == ["all"] else frozenset(Role(name) for name in names)
        yield method, start, roles


_LINES = sorted(_read(), key=lambda line: (len(line[1]), line[0] != "*"))


def desk_routes() -> list[Route]:
    """Every route that is for staff."""
    return [route for route in ROUTES if route.who == Who.STAFF]


def roles_for(route: Route) -> frozenset[Role]:
    """Whom the table lets in; nobody where it says nothing."""
    if route.name in _EXACTLY:
        return _EXACTLY[route.name]
    found: frozenset[Role] = frozenset()
    for method, start, roles in _LINES:
        if method in ("*", route.method) and route.rule.startswith(start):
            found = roles
    return found
