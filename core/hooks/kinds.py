"""What programs can be told of: the types, with the words for people. ``flows.tell_programs`` makes them."""

#: Type -> what happened.
KINDS = {
    "order.placed": "An order is certain: paid, or placed on terms",
    "order.paid": "Nothing of an order is open any more",
    "order.approved": "An order that was held goes on: somebody has checked it",
    "order.shipped": "A parcel of an order left, or something of it was provided",
    "order.delivered": "A parcel of an order has arrived",
    "order.released": "Pieces that an order waited for have come",
    "order.ready": "Goods of an order lie ready to be fetched",
    "order.collected": "Goods of an order were fetched",
    "order.changed": "Pieces of an order were cancelled, changed, or come back",
    "invoice.issued": "A bill or memo got its number",
    "invoice.paid": "Nothing of a bill is open any more, by payment or by credit",
    "payment.received": "Money came and is in the ledger",
    "payment.failed": "A card on file was not charged",
    "refund.made": "Money went back",
    "dispute.opened": "A customer says that a line of a bill is wrong",
    "dispute.closed": "A dispute is over: resolved or withdrawn",
    "chargeback.warned": "A card network asks about a payment; nothing is taken yet",
    "chargeback.opened": "A card network took a payment back",
    "chargeback.answered": "The network has our evidence",
    "chargeback.closed": "A chargeback is decided: won, lost or ended",
    "chargeback.appealed": "A chargeback that was lost is won on appeal",
    "case.opened": "Something of an account is past due",
    "case.promised": "All that is past due is promised by a day",
    "case.locked": "An account’s services are locked, as it is past due",
    "case.unlocked": "They are unlocked again",
    "case.closed": "Nothing of an account is past due any more",
    "autopay.started": "AutoPay is on for an account",
    "autopay.stopped": "AutoPay is off for an account",
    "autopay.failed": "AutoPay charged a card, and it was declined",
    "subscription.started": "A service begins",
    "subscription.changed": "A service was changed, paused, resumed, cancelled or kept",
    "subscription.ended": "A service is over",
    "quote.requested": "Somebody asks for a quote",
    "quote.sent": "A version of a quote is on its way",
    "quote.accepted": "A quote became an order",
    "quote.declined": "A quote was declined",
    "trial.started": "Somebody tries a service",
    "trial.ended": "A trial is over: converted, cancelled or lapsed",
}
#: Sent by the button that tries an endpoint, whatever it listens to.
TEST = "webhook.test"
#: Listens to all, and to what comes later.
ALL = "*"
#: Of every payload; another shape of ``data`` is another number.
VERSION = 1
