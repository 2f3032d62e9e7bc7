"""A shop in which more and more happens: products, bills, payments, failed jobs, carts with many lines."""

import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cart import lines
from cart.quotes.wanting import Wanted
from cms_content import blocks
from core.hooks import deliveries, endpoints
from core.hooks.endpoints import Wish as HookWish
from core.hooks.reaching import Answer, Nowhere
from core.kernel.jobs import Job
from core.kernel.sealing import Sealer
from core.ledger import business, items
from core.ledger.models import OpenItem
from core.orders.models import Order
from core.parties import tokens
from core.parties.models import Account, Channel
from core.parties.tokens import STAFF, USER, NewToken
from flows import draft_quote, send_quote, talk_about_quote
from flows.place_order import Wish, place
from invoices import issue
from invoices.models import Invoice
from payments import money, rounds
from payments.dunning import cases
from payments.models import Payment
from payments.rounds import Finding, Round
from tests import books as ledger
from tests import contents, nights
from tests import world as worlds
from tests.books import Books
from tests.paying import wish
from tests.quoting import ANN, Quoting, off
from tests.rooms.web import carded, disputed, tried
from tests.rooms.web.looking import statements
from tests.rooms.web.stage import KIM, Browser, Stage


class Growing:
    """One customer's shop; ``grow`` makes it larger, the others count what its pages ask."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.who = stage, stage.newcomer()
        self.account = stage.accounts[self.who]
        self.books = Books(stage.db, stage.clock, stage.world, stage.folder)
        self.skus: list[str] = []
        self.parked: list[tuple[uuid.UUID, str]] = []
        self.night = ""
        self.services: list[str] = []
        self.trials: list[str] = []
        self.hooks: list[str] = []
        self.told: list[str] = []
        self.cards: list[tuple[str, str]] = []
        self.quotes: list[Quoting] = []
        self.pages: list[str] = []
        self.disputes: list[str] = []

    def grow(self, size: int, *, printed: bool = True, disputed: bool = True) -> None:
        """Have so many products, open bills, paid bills with their payments, and failed jobs.

        What a worker would still have to do for the bills is done here, without a mail. Not ``disputed``:
        all of every open bill is collected.
        """
        self.printed = printed
        self.stage.drain()
        with self.stage.db.transaction() as session:
            for number in range(len(self.skus), size):
                self._product(session, number)
                self._bill(session, paid=False)
                self._bill(session, paid=True)
                self._job(session, number)
                self._night(session)
                self._tokens(session, number)
                self._hook(session)
                self._late(session)
                self.services.append(self.stage.serve(session, self.account))
                self.trials.append(tried.grown(session, self.stage, self.who))
                self.cards.append(carded.grown(session, self.stage, self.who, number))
        for number in range(len(self.quotes), size):
            self._quote(number)
        self._content(size)
        for number in range(len(self.disputes), size if disputed else 0):
            self._dispute(number)
        with self.stage.db.transaction() as session:
            if printed:
                session.execute(delete(Job).where(Job.state == "ready"))

    def _product(self, session: Session, number: int) -> None:
        world, now = self.stage.world, self.stage.clock.now()
        shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
        if number == 0:
            self.category = shelf.category(f"of-{self.who}", "Many", 9)
        sku = f"Q-{self.who}-{number}"
        shelf.put(self.category, sku, f"Thing {sku}", "physical", "device", "9.00", 500)
        self.skus.append(sku)

    def _bill(self, session: Session, *, paid: bool) -> None:
        payer, now = session.get_one(Account, self.account), self.stage.clock.now()
        order = ledger._order(session, self.books, payer, [(self.stage.world.visit, 1)], "on_terms")
        invoice = issue.for_order(session, order.id, ledger.PRINTING, now)
        if self.printed:
            ledger._store(session, self.books, invoice.number)
        if not paid:
            return
        (owed,) = items.find(session, OpenItem.source_id == invoice.id)
        payment = ledger._capture(session, self.books, payer.id, owed.open.minor, None)
        receipt = money.receipt_of(payment, now.date())
        business.receive_for_items(session, receipt, [(owed, owed.open)], now)

    def _night(self, session: Session) -> None:
        """A run of everybody who was parked so far, and somebody more who is."""
        world, now = self.stage.world, self.stage.clock.now()
        more = worlds.account(session, world, now, name=f"Parked {len(self.parked)}")
        self.parked.append((more.id, nights.parked(session, more, now)))
        keys = [key for key, _ in self.parked]
        self.night = nights.past_run(session, keys, now.date(), now).public_id

    def _late(self, session: Session) -> None:
        """Somebody more who is past due."""
        world, now = self.stage.world, self.stage.clock.now()
        more = worlds.account(session, world, now, name="Late Somebody")
        cases.start(session, more.id, now.date(), now)

    def _content(self, size: int) -> None:
        """A page with as many blocks, versions before it, other pages, pictures, segments and redirects."""
        house, channel = self.stage.house, self.stage.world.channel_id
        text = {"kind": "text", "text": "Words."}
        shelf = {"kind": "products", "category": "devices"}
        for _ in range(size - len(self.pages)):
            more = [text, shelf] * (len(self.pages) + 1)
            self.pages.append(contents.published(house, channel, *more[: blocks.MOST_BLOCKS])[1])
            contents.segment(house, channel, campaigns=("x",))
            contents.banner(house, channel)
            contents.picture(house, width=60, height=40)
            contents.video(house)
            contents.redirect(house, channel)

    def _quote(self, number: int) -> None:
        """A quote more; the first one gets more lines, messages, versions and wishes for approval."""
        first = Quoting.ask(
            self.stage.house,
            self.stage.world,
            self.stage.world.visit.sku,
            user_id=self.stage.people[self.who],
        )
        self.quotes.append(first)
        first.write(Wanted(sku=self.stage.world.visit.sku), discount=off("50"))
        revision = first.version().revision
        send_quote.ask_approval(self.stage.house, first.public_id, revision, "", ANN)
        told = self.quotes[0]
        lines = [Wanted(sku=sku) for sku in self.skus[: number + 1]]
        if number == 0:
            told.write(*lines)
        else:
            draft_quote.another(self.stage.house, told.public_id, ANN)
            told.write(*lines)
        told.send()
        talk_about_quote.write(self.stage.house, told.public_id, "customer", f"Number {number}?")

    def _dispute(self, number: int) -> None:
        """A dispute more, of a bill that is open; the first one has more messages and pictures."""
        bills = self.stage.rows(Invoice, Invoice.payer_account_id == self.account)
        made = disputed.opened(self.stage, self.who, bills[2 * number].public_id)
        self.disputes.append(made.public_id)
        disputed.talked(self.stage, self.who, self.disputes[0], pictures=number < 20)

    def quoted(self) -> dict[str, int]:
        """The pages of quotes: by link, in the account, at the desk."""
        quote = self.quotes[0].public_id
        link = f"/q/{quote}/{self.stage.house.links.quote_token(quote)}"
        number = self.quotes[0].version().number
        guest = self._asked(
            self.stage.browser(),
            {
                "by link": link,
                "side by side": f"{link}/compare",
                "accepting": f"{link}/accept?version={number}",
            },
        )
        own = self._asked(
            self.stage.browser(self.who),
            {"own list": "/account/quotes", "own": f"/account/quotes/{quote}"},
        )
        desk = self._asked(
            self.stage.browser(KIM),
            {
                "list": "/desk/quotes",
                "list sorted": "/desk/quotes?tab=waiting&sort=value&q=rowan",
                "csv": "/desk/quotes/export.csv",
                "one": f"/desk/quotes/{quote}",
                "approvals": "/desk/quotes/approvals",
                "report": "/desk/quotes/report",
                "in the making": f"/desk/quotes/{self.quotes[-1].public_id}",
                "editor": f"/desk/quotes/{self.quotes[-1].public_id}/edit",
            },
        )
        return guest | own | desk

    def _job(self, session: Session, number: int) -> None:
        now = self.stage.clock.now()
        session.add(
            Job(
                key=f"q-{self.who}-{number}",
                name="tidy",
                handler="tidy",
                payload={},
                state="dead",
                run_at=now,
                created_at=now,
                last_error="it broke",
            )
        )

    def _tokens(self, session: Session, number: int) -> None:
        now = self.stage.clock.now()
        for who, kind in ((self.who, USER), (KIM, STAFF)):
            new = NewToken(kind, f"Program {number}", tuple(tokens.SCOPES[kind]))
            row, _ = tokens.make(session, self.stage.people[who], new, now.date(), now)
            tokens.revoke(session, kind, row.public_id, "test", now)

    def _hook(self, session: Session) -> None:
        """A webhook more, and one thing more that was sent to the first."""
        now = self.stage.clock.now()
        sealer = Sealer(self.stage.house.links.secret, endpoints.PURPOSE)
        wish = HookWish("https://erp.example.com/hooks", "Books", ("*",))
        if len(self.hooks) < 12:  # there may not be many
            row, _ = endpoints.add(session, wish, Nowhere(), sealer, "test", now)
            self.hooks.append(row.public_id)
        first = endpoints.one(session, self.hooks[0])
        told = deliveries.test(session, first, "test", now)
        deliveries.settle(session, told.id, Answer(500, 12, "no"), now)
        self.told.append(told.public_id)

    # --- counting --------------------------------------------------------------------------------

    def shelves(self) -> dict[str, int]:
        """The pages that everybody shares, of a process that has read its shelves just now."""
        browser = Browser(self.stage.another_shop())
        pages = {
            "home": "/",
            "everything": "/c/all",
            "category": f"/c/of-{self.who}",
            "product": f"/p/thing-{self.skus[0].lower()}",
        }
        return self._asked(browser, pages)

    def cart(self) -> dict[str, int]:
        """A cart with as many lines, one more put in, its checkout, and the order that it becomes."""
        browser, cart_id = self.stage.browser(), self._cart()
        browser.keep("cart", cart_id)
        found = self._asked(
            browser, {"cart": "/cart", "count": "/cart/count", "checkout": "/checkout"}
        )
        with statements(self.stage.db) as sent:
            answer = browser.ask("POST", "/cart/lines", data={"sku": "FW-RT-6"})
        assert answer.status_code == 303
        found["adding"] = len(sent)
        asked = wish(cart_id, "invoice", email="guest@example.com")
        placed = place(self.stage.house, Wish(cart_id, asked.details))
        self.stage.drain()
        path = f"/o/{placed.public_id}/{self.stage.house.links.order_token(placed.public_id)}"
        return found | self._asked(browser, {"order": path, "thanks": f"{path}/thanks"})

    def _cart(self) -> str:
        house, now = self.stage.house, self.stage.clock.now()

        def work(session: Session) -> str:
            channel = session.scalars(select(Channel).where(Channel.code == "web")).one()
            cart = lines.open_cart(session, channel, now)
            for sku in self.skus:
                lines.add(session, cart, sku, 1, house.rules.hold_for, now)
            return cart.public_id

        return house.db.run_tx(work)

    def portal(self) -> dict[str, int]:
        """The account of the customer whose bills these are."""
        pages = {
            "overview": "/account",
            "bills": "/account/bills",
            "bill": f"/account/bills/{self._bill_id()}",
            "receipts": "/account/payments",
            "receipt": f"/account/payments/{self._payment_id()}",
            "disputes": "/account/disputes",
            "dispute": f"/account/disputes/{self.disputes[0]}",
            "pay": "/account/pay",
            "pay link": self._pay_link(),
            "pay code": "/account/pay-code",
            "past due": f"/account/past-due/{self._case_id()}",
            "tokens": "/account/tokens",
            "cards": "/account/cards",
            "card off": f"/account/cards/{self.cards[0][0]}/remove",
            "card instead": f"/account/cards/{self.cards[0][0]}/instead",
            "autopay": "/account/autopay",
            "autopay off": "/account/autopay/stop",
            "planned payments": "/account/scheduled",
            "planned payment": f"/account/scheduled/{self.cards[0][1]}",
            "planned otherwise": f"/account/scheduled/{self.cards[0][1]}/change",
            "planned not": f"/account/scheduled/{self.cards[0][1]}/cancel",
            "pay on a date": "/account/scheduled/new",
            "trials": "/account/trials",
            "trial": f"/account/trials/{self.trials[0]}",
            "trial link": self.trial_link(),
            "services": "/account/services",
            "service": f"/account/services/{self.services[0]}",
            "change": f"/account/services/{self.services[0]}/change",
            "pause": f"/account/services/{self.services[0]}/pause",
            "end": f"/account/services/{self.services[0]}/end",
        }
        return self._asked(self.stage.browser(self.who), pages)

    def desk(self) -> dict[str, int]:
        """The desk's lists, and one of each kind."""
        orders = self.stage.rows(Order, Order.payer_account_id == self.account)
        jobs = self.stage.rows(Job, Job.key.startswith(f"q-{self.who}"))
        account = self.stage.row(Account, Account.id == self.account)
        pages = {
            "today": "/desk",
            "orders": "/desk/orders",
            "orders looked for": "/desk/orders?q=Ash&state=confirmed",
            "order": f"/desk/orders/{orders[0].public_id}",
            "customers": "/desk/customers",
            "customers looked for": "/desk/customers?q=Ash&sort=name",
            "customer": f"/desk/customers/{account.public_id}",
            "stock": "/desk/stock",
            "content": "/desk/content",
            "content page": f"/desk/content/pages/{self.pages[-1]}",
            "content edited": f"/desk/content/pages/{self.pages[-1]}/edit",
            "content previewed": f"/desk/content/pages/{self.pages[-1]}/preview",
            "pictures": "/desk/content/media",
            "videos": "/desk/content/media?kind=video",
            "banners": "/desk/content/banners",
            "segments": "/desk/content/segments",
            "redirects": "/desk/content/redirects",
            "invoices": "/desk/invoices",
            "invoice": f"/desk/invoices/{self._bill_id()}",
            "disputes": "/desk/disputes",
            "disputes sorted": "/desk/disputes?tab=open&sort=-amount&reason=overcharge&q=Ash",
            "dispute": f"/desk/disputes/{self.disputes[0]}",
            "bill runs": "/desk/bill-runs",
            "bill run": f"/desk/bill-runs/{self.night}",
            "parked": "/desk/parked",
            "past due": "/desk/past-due",
            "rounds": "/desk/reconciler",
            "round": f"/desk/reconciler/{self._round()}",
            "past due one": f"/desk/past-due/{self._case_id()}",
            "parked one": f"/desk/parked/{self.parked[0][1]}",
            "payments": "/desk/payments",
            "planned": "/desk/payments/planned",
            "declined": "/desk/payments/planned?tab=declined&q=Ash",
            "planned one": f"/desk/payments/planned/{self.cards[0][1]}",
            "cards": f"/desk/payments/cards/{account.number}",
            "chargebacks": "/desk/chargebacks",
            "payment": f"/desk/payments/{self._payment_id()}",
            "trial balance": "/desk/ledger",
            "ageing": "/desk/ledger/ageing",
            "journal": "/desk/ledger/journal",
            "journal of one": f"/desk/ledger/journal?customer={account.number}&kind=invoice_issued",
            "account": f"/desk/ledger/accounts/{account.public_id}",
            "open items": f"/desk/ledger/accounts/{account.public_id}/open",
            "bank": "/desk/money",
            "held": f"/desk/money/accounts/{account.public_id}",
            "money on a bill": f"/desk/invoices/{self._bill_id()}/money",
            "write-offs": "/desk/write-offs",
            "periods": "/desk/periods",
            "rates": "/desk/rates",
            "jobs": "/desk/jobs?state=dead",
            "job": f"/desk/jobs/{jobs[0].id}",
            "keys": "/desk/keys",
            "webhooks": "/desk/webhooks",
            "webhook": f"/desk/webhooks/{self.hooks[0]}?state=waiting",
            "webhook in the making": f"/desk/webhooks/{self.hooks[0]}/edit",
            "told": f"/desk/webhooks/{self.hooks[0]}/sent/{self.told[0]}",
            "staff": "/desk/staff",
            "audit": "/desk/audit",
            "audit looked for": "/desk/audit?actor=kim&q=staff&since=2026-01-01&sort=written",
            "orders by what is due": "/desk/orders?sort=due",
            "invoices by amount": "/desk/invoices?sort=-total",
            "payments by amount": "/desk/payments?sort=amount",
            "me": "/desk/me",
            "trials": "/desk/trials",
            "trials looked for": "/desk/trials?q=Ash&kind=no_card&state=running",
            "trial": f"/desk/trials/{self.trials[0]}",
            "calls": "/desk/trials/follow-ups",
            "trial report": "/desk/trials/report",
            "trial offers": "/desk/trials/offers",
            "services": "/desk/services",
            "services looked for": "/desk/services?q=Ash&state=active",
            "service": f"/desk/services/{self.services[0]}",
        }
        return self._asked(self.stage.browser(KIM), pages)

    def trial_link(self) -> str:
        """The address that a mail about the first trial carries."""
        return f"/trial/{self.trials[0]}/{self.stage.house.links.trial_token(self.trials[0])}"

    def _bill_id(self) -> str:
        found: str = self.stage.rows(Invoice, Invoice.payer_account_id == self.account)[0].public_id
        return found

    def _round(self) -> str:
        """A round of the reconciler that found as much as there are bills."""
        found = [Finding("event", "mended", "payment_intent.succeeded") for _ in self.skus]
        now = self.stage.clock.now()
        done = Round("system", now, 0, len(found), 0, found)
        with self.stage.db.transaction() as session:
            return rounds.write(session, done, now).public_id

    def _pay_link(self) -> str:
        account = self.stage.row(Account, Account.id == self.account)
        return f"/due/{account.public_id}/{self.stage.house.links.pay_token(account)}"

    def _case_id(self) -> str:
        now = self.stage.clock.now()
        with self.stage.db.transaction() as session:
            found = cases.open_case(session, self.account)
            return (found or cases.start(session, self.account, now.date(), now)).public_id

    def _payment_id(self) -> str:
        found: str = self.stage.rows(Payment, Payment.account_id == self.account)[0].public_id
        return found

    def _asked(self, browser: Browser, pages: dict[str, str]) -> dict[str, int]:
        counts = {}
        browser.get("/terms")  # channel and shelves are kept from one page to the next
        for name, path in pages.items():
            with statements(self.stage.db) as sent:
                answer: TestResponse = browser.get(path)
            assert answer.status_code == 200, path
            counts[name] = len(sent)
        return counts
