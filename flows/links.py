"""The addresses that mails carry. None of them changes anything: each opens a page."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core.kernel.ids import derived_token
from core.parties import pay_codes
from core.parties.models import Account


@dataclass(frozen=True)
class Links:
    """Addresses below ``base_url``. ``secret`` is the shop's; tokens of orders are derived from it."""

    base_url: str
    secret: str = field(repr=False)

    @property
    def domain(self) -> str:
        """The host of the shop's address, for Message-IDs."""
        return urlsplit(self.base_url).hostname or "localhost"

    def order_token(self, public_id: str) -> str:
        """What proves that somebody may see an order: in its link, and as Bearer in the API."""
        return derived_token(self.secret, "order", public_id)

    def order(self, public_id: str) -> str:
        """Where whoever has the link follows an order, without an account."""
        return f"{self.base_url}/o/{public_id}/{self.order_token(public_id)}"

    def wait_token(self, public_id: str) -> str:
        """What opens somebody's place in the line for a thing that is gone."""
        return derived_token(self.secret, "wait", public_id)

    def wait(self, public_id: str) -> str:
        """Where they confirm it, take what is kept for them, or leave."""
        return f"{self.base_url}/w/{public_id}/{self.wait_token(public_id)}"

    def portal(self) -> str:
        """The account's first page."""
        return f"{self.base_url}/account"

    def invoice(self, public_id: str) -> str:
        """One bill, after logging in."""
        return f"{self.base_url}/account/bills/{public_id}"

    def bill(self, public_id: str) -> str:
        """The address that is printed on a bill: the same page."""
        return self.invoice(public_id)

    def statement(self, public_id: str) -> str:
        """One statement, after logging in; printed on it too."""
        return f"{self.base_url}/account/statements/{public_id}"

    def service(self, public_id: str) -> str:
        """One service, after logging in."""
        return f"{self.base_url}/account/services/{public_id}"

    def payment_return(self, operation: str) -> str:
        """Where the processor sends the payer back to; the page checks, and posts."""
        return f"{self.base_url}/pay/{operation}/return"

    def payment_cancelled(self, operation: str) -> str:
        """Where somebody comes back who has not paid."""
        return f"{self.base_url}/pay/{operation}/cancelled"

    def method_return(self, operation: str) -> str:
        """Where the processor sends somebody back to who put a card on file."""
        return f"{self.base_url}/methods/{operation}/return"

    def method_cancelled(self, operation: str) -> str:
        """Where somebody comes back who has put no card on file."""
        return f"{self.base_url}/methods/{operation}/cancelled"

    def pay_bill(self, public_id: str) -> str:
        """The page that pays one bill, after logging in; its button begins it."""
        return f"{self.base_url}/account/pay?bill={public_id}"

    def pay_page(self, account: Account) -> str:
        """Where whoever has the link pays an account's bills without logging in."""
        return f"{self.base_url}/due/{account.public_id}/{self.pay_token(account)}"

    def pay_token(self, account: Account) -> str:
        """What opens that page, until there is a new pay code."""
        told = pay_codes.subject(account.public_id, account.pay_code_series)
        return derived_token(self.secret, "pay-page", told)

    def pay_code(self, account: Account | None) -> str:
        """What is printed beside the account number: both together open that page. Fifty bits. Without an
        account it is one that nobody has."""
        if account is None:
            return pay_codes.code_of(self.secret, "nobody")
        return pay_codes.code_of(self.secret, account.public_id, account.pay_code_series)

    def pay_by_code(self) -> str:
        """Where the two are typed."""
        return f"{self.base_url}/pay-a-bill"

    def cards(self) -> str:
        """The cards on file, after logging in."""
        return f"{self.base_url}/account/cards"

    def card(self, public_id: str) -> str:
        """Where another card takes a card's place, and what it was declined for is paid."""
        return f"{self.base_url}/account/cards/{public_id}/instead"

    def autopay(self) -> str:
        """AutoPay, after logging in."""
        return f"{self.base_url}/account/autopay"

    def autopay_stop(self) -> str:
        """The page whose button stops it."""
        return f"{self.base_url}/account/autopay/stop"

    def scheduled(self, public_id: str) -> str:
        """A planned payment, where it is changed and cancelled."""
        return f"{self.base_url}/account/scheduled/{public_id}"

    def receipt(self, public_id: str) -> str:
        """One payment, after logging in."""
        return f"{self.base_url}/account/payments/{public_id}"

    def gift_card(self, public_id: str) -> str:
        """The page that prints a gift card with its code, for whoever has the link."""
        return f"{self.base_url}/gift-card/{public_id}/{self.gift_card_token(public_id)}"

    def gift_card_token(self, public_id: str) -> str:
        """What opens that page."""
        return derived_token(self.secret, "gift-card-page", public_id)

    def trial(self, public_id: str) -> str:
        """A trial's page, where it can be cancelled without logging in."""
        return f"{self.base_url}/trial/{public_id}/{self.trial_token(public_id)}"

    def trial_token(self, public_id: str) -> str:
        """What opens that page."""
        return derived_token(self.secret, "trial-page", public_id)

    def trials(self) -> str:
        """One's trials, after logging in."""
        return f"{self.base_url}/account/trials"

    def trial_go_on(self, public_id: str) -> str:
        """Where somebody decides to go on, after logging in."""
        return f"{self.base_url}/account/trials/{public_id}/go-on"

    def quote_token(self, public_id: str) -> str:
        """What proves that somebody may see and answer a quote."""
        return derived_token(self.secret, "quote", public_id)

    def quote(self, public_id: str) -> str:
        """Where whoever has the link reads and answers a quote, without an account."""
        return f"{self.base_url}/q/{public_id}/{self.quote_token(public_id)}"

    def desk_quote(self, public_id: str) -> str:
        """Where staff see to a quote, after logging in."""
        return f"{self.base_url}/desk/quotes/{public_id}"

    def desk_webhook(self, public_id: str) -> str:
        """Where staff see to a webhook, after logging in."""
        return f"{self.base_url}/desk/webhooks/{public_id}"

    def order_dispute(self, order: str, dispute: str) -> str:
        """A dispute of an order's bill, for whoever has the order's link."""
        return f"{self.order(order)}/disputes/{dispute}"

    def dispute(self, public_id: str) -> str:
        """One's dispute, after logging in."""
        return f"{self.base_url}/account/disputes/{public_id}"

    def desk_dispute(self, public_id: str) -> str:
        """Where staff see to a dispute, after logging in."""
        return f"{self.base_url}/desk/disputes/{public_id}"

    def desk_chargeback(self, public_id: str) -> str:
        """Where staff see to a chargeback, after logging in."""
        return f"{self.base_url}/desk/chargebacks/{public_id}"

    def reset(self, token: str) -> str:
        """Where another password is chosen."""
        return f"{self.base_url}/account/reset/{token}"

    def invite(self, token: str) -> str:
        """Where an invited person chooses the first password."""
        return f"{self.base_url}/account/invite/{token}"

    def verify(self, token: str) -> str:
        """Where an e-mail address is confirmed."""
        return f"{self.base_url}/account/verify/{token}"
