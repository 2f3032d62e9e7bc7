"""Building the house from the settings."""

from datetime import timedelta

from app.provisioners import Pretend
from app.settings import Settings
from cart.delivery import TableDelivery
from cart.quotes.approving import Limits
from core.hooks.reaching import HttpPoster
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import SystemClock
from core.kernel.db import Database
from core.notices.sending import SmtpSender
from core.orders.provisioning import ByHand, Provisioner
from core.tax.http_service import HttpTaxService
from core.tax.register import Vies
from core.tax.service import ElseOwnTable, OwnTable, TaxService
from flows.browse import Shelves
from flows.house import CardRules, House, Rules
from flows.links import Links
from flows.show_page import PublishedPages
from invoices.billing.bounds import Bounds
from invoices.disputes import rules as disputes
from payments.dunning.schedule import Fee, Schedule
from payments.stripe_gateway import StripeGateway, check_key
from web.context import WebSettings

_STRIPE_PAGE = "https://checkout.stripe.com"


def build(settings: Settings) -> House:
    """The house of one process. Raises Misconfigured for a key that has no business here."""
    check_key(settings.stripe_key, production=settings.mode == "production")
    return House(
        db=Database(settings.database_url, pool_size=settings.web_threads + 2),
        clock=SystemClock(),
        gateway=StripeGateway(
            settings.stripe_key,
            webhook_secrets=settings.stripe_webhook_secrets,
            api_base=settings.stripe_base,
            timeout=float(settings.stripe_timeout),
            sandbox=settings.stripe_base is not None,
        ),
        blobs=FolderBlobs(settings.data_dir / "blobs"),
        sender=SmtpSender(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_user,
            settings.smtp_password,
            settings.smtp_tls,
            settings.mail_from,
        ),
        delivery=TableDelivery(),
        links=Links(settings.base_url, settings.secret_key),
        rules=rules(settings),
        shelves=Shelves(timedelta(seconds=settings.shelf_seconds)),
        pages=PublishedPages(timedelta(seconds=settings.shelf_seconds)),
        taxes=taxes(settings),
        poster=HttpPoster(
            private_hosts=settings.webhook_private_hosts, anywhere=settings.mode != "production"
        ),
        provisioner=provisioner(settings),
        vat_register=Vies(settings.vat_register) if settings.vat_register else None,
    )


def provisioner(settings: Settings) -> Provisioner:
    """What begins services: a person, or the pretend system."""
    if settings.provisioning == "pretend":
        return Pretend(settings.provisioning_refuses)
    return ByHand()


def taxes(settings: Settings) -> TaxService:
    """Who works out taxes: our own table, or an outside service, with the table behind it or not."""
    if settings.tax_service_url is None:
        return OwnTable()
    service = HttpTaxService(
        settings.tax_service_url, settings.tax_service_key, float(settings.tax_service_timeout)
    )
    return ElseOwnTable(service) if settings.tax_fallback else service


def rules(settings: Settings) -> Rules:
    """What a merchant may set."""
    return Rules(
        channel=settings.channel,
        hold_for=timedelta(minutes=settings.hold_minutes),
        payment_for=timedelta(minutes=settings.payment_minutes),
        payment_grace=timedelta(minutes=settings.payment_grace_minutes),
        payment_methods=("card", "invoice") if settings.allow_invoice else ("card",),
        bills=Bounds(
            most_amount=settings.bill_most_amount,
            most_lines=settings.bill_most_lines,
            most_periods=settings.bill_most_periods,
            oldest_days=settings.bill_oldest_days,
        ),
        quotes=Limits(
            discount_ppm=settings.quote_discount * 10_000,
            amount=settings.quote_amount,
            margin_ppm=settings.quote_margin * 10_000,
            remind_days=settings.quote_remind_days,
            valid_days=settings.quote_valid_days,
        ),
        dunning=Schedule(
            remind_after=settings.dunning_remind_days,
            fee_after=settings.late_fee_days,
            lock_after=settings.dunning_lock_days,
            notice_days=settings.dunning_notice_days,
            least=settings.dunning_least,
            fee=Fee(settings.late_fee, settings.late_fee_percent),
            promise_days=settings.promise_days,
            promises=settings.promises,
        ),
        staff_need_second_step=settings.staff_need_second_step,
        cards=CardRules(
            retry_days=settings.charge_retry_days,
            notice_days=settings.autopay_notice_days,
            expiry_days=settings.card_expiry_days,
        ),
        disputes=disputes.Rules(
            answer_days=settings.dispute_answer_days,
            credit_limit=settings.dispute_credit,
            file_bytes=settings.dispute_file_mb * 1_000_000,
        ),
    )


def web_settings(settings: Settings) -> WebSettings:
    """What the faces need to know."""
    pay = settings.pay_page_origins or (settings.stripe_base or _STRIPE_PAGE,)
    return WebSettings(
        base_url=settings.base_url,
        secret_key=settings.secret_key,
        secure=settings.secure,
        pay_origins=pay,
        return_origins=settings.return_origins,
        api_origins=settings.api_origins,
        rate_login=settings.rate_login,
        rate_code=settings.rate_code,
        rate_mail=settings.rate_mail,
        rate_checkout=settings.rate_checkout,
        rate_cart=settings.rate_cart,
        rate_gift_card=settings.rate_gift_card,
        rate_pay_code=settings.rate_pay_code,
        rate_pay_code_account=settings.rate_pay_code_account,
        rate_api=settings.rate_api,
    )
