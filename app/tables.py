"""Imports every module that has tables, so that ``Base.metadata`` is whole."""

import cart.delivery_models
import cart.models
import cart.quotes.fences
import cart.quotes.models
import cms_content.models
import core.catalog.models
import core.entitlements.models
import core.hooks.models
import core.kernel.audit
import core.kernel.blobs
import core.kernel.counters
import core.kernel.idempotency
import core.kernel.jobs
import core.kernel.kept_rules
import core.kernel.numbering
import core.ledger.fences
import core.ledger.models
import core.ledger.open_now
import core.ledger.periods
import core.ledger.rates
import core.ledger.tender_models
import core.ledger.writeoffs
import core.notices.models
import core.orders.fulfilment_models
import core.orders.models
import core.orders.pickup_models
import core.orders.provisioning
import core.parties.factor_models
import core.parties.models
import core.parties.token_models
import core.prices.models
import core.revenue.models
import core.stock.back_order_models
import core.stock.models
import core.subscriptions.models
import core.subscriptions.trial_models
import core.tax.models
import invoices.billing.models
import invoices.disputes.models
import invoices.models
import invoices.statements.models
import payments.automatic_models
import payments.chargebacks
import payments.dunning.models
import payments.evidence
import payments.models
from core.kernel.db import Base

metadata = Base.metadata

__all__ = [
    "cart",
    "cms_content",
    "core",
    "invoices",
    "metadata",
    "payments",
]
