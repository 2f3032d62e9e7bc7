"""What programs can be told of: the types, with the words for people. ``flows.tell_programs`` makes them."""

#: Type -> what happened.
KINDS = {
    "order.placed": "An order is certain: paid, or placed on terms",
    "order.paid": "Nothing of an order is open any more",
    "order.shipped": "A parcel of an order left, or something of it was provided",
    "order.changed": "Pieces of an order were cancelled, or come back",
    "invoice.issued": "A bill or memo got its number",
    "invoice.paid": "Nothing of a bill is open any more, by payment or by credit",
    "payment.received": "Money came and is in the ledger",
    "payment.failed": "A card on file was not charged",
    "refund.made": "Money went back",
    "dispute.opened": "A customer says that a line of a bill is wrong",
    "dispute.closed": "A dispute is over: resolved or withdrawn",
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
