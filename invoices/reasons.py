"""Why an amount is what it is, in plain words and figures of the reader's locale: rows for page and PDF.

Pure; asked once, when a document is made. What a line shows anyway (quantity times price, with nothing
rounded) needs no reason.
"""

from decimal import Decimal

from invoices.document import Reason
from invoices.figures import Figures
from invoices.why import Basis, Formula, Why
from invoices.words import Words

_COUNTED = {Basis.PERIOD: "why_period", Basis.YEAR: "why_year", Basis.MONTH_30: "why_month"}


def reasons(why: Why | None, say: Figures) -> tuple[Reason, ...]:
    """The rows; none where the line speaks for itself."""
    if why is None or (why.formula is Formula.QUANTITY and not why.residue):
        return ()
    words = say.words
    rows = [*_sentences(why, words, say), *_figures(why, words, say)]
    if why.before is not None:
        rows.append(Reason(words.why_before, say.amount(-why.before)))
    if why.residue:
        rows.append(Reason(words.why_rounded, say.fine(-why.residue)))
    if any(row.value for row in rows):
        rows.append(Reason(words.why_result, say.amount(why.amount), is_sum=True))
    return tuple(rows)


def _sentences(why: Why, words: Words, say: Figures) -> list[Reason]:
    texts = []
    if why.formula is Formula.PRORATED:
        texts.append(words.why_prorated.format(days=why.days, of=why.of_days))
    elif why.formula is Formula.REPAIR:
        texts.append(words.why_repaired.format(days=why.days, of=why.of_days))
    elif why.formula is Formula.TIERS:
        texts.append(words.why_tiers)
    elif why.formula is Formula.DISCOUNT:
        texts.append(_off(why, words, say))
    elif why.formula is Formula.SHARE:
        texts.append(_share(why, words, say))
    elif why.formula is Formula.CREDIT:
        texts.append(_of_line(why, words, say))
    elif why.formula is Formula.FIXED:
        texts.append(words.why_fixed)
    if why.basis is not None:
        texts.append(getattr(words, _COUNTED[why.basis]))
    if why.limit is not None:
        texts.append(words.why_limit.format(limit=_alone(why.limit, say)))
    return [Reason(text) for text in texts]


def _off(why: Why, words: Words, say: Figures) -> str:
    if why.percent is None and why.weight is not None:
        weight, whole = _alone(why.weight, say), _alone(why.of_weight, say)
        return words.why_off_share.format(of=_alone(why.of, say), weight=weight, of_weight=whole)
    if why.percent is None:
        return words.why_off
    return words.why_percent.format(percent=say.rate(why.percent), of=_alone(why.of, say))


def _share(why: Why, words: Words, say: Figures) -> str:
    if why.weight is None or why.of_weight is None or why.weight == why.of_weight:
        return words.why_share_whole.format(of=_alone(why.of, say))
    weight, whole = say.quantity(why.weight), say.quantity(why.of_weight)
    return words.why_share.format(of=_alone(why.of, say), weight=weight, of_weight=whole)


def _of_line(why: Why, words: Words, say: Figures) -> str:
    if why.of is None:
        return words.why_more.format(source=why.source)
    amount, of = _alone(why.amount, say), _alone(why.of, say)
    return words.why_credit.format(amount=amount, of=of, source=why.source)


def _figures(why: Why, words: Words, say: Figures) -> list[Reason]:
    if why.formula is Formula.TIERS:
        return [
            Reason(
                step.label
                or words.why_tier.format(
                    quantity=say.quantity(step.quantity), price=say.price(step.unit_price)
                ),
                say.fine(step.amount),
            )
            for step in why.steps
        ]
    rows = []
    if why.unit_price is not None:
        rows.append(Reason(words.why_price, say.price(why.unit_price)))
    if why.quantity != 1:
        rows.append(Reason(words.why_quantity, say.quantity(why.quantity)))
    if why.days is not None and why.of_days is not None:
        value = words.why_days_of.format(days=why.days, of=why.of_days)
        rows.append(Reason(words.why_days, value))
    return rows


def _alone(amount: Decimal | None, say: Figures) -> str:
    return str(say.alone(amount or Decimal(0)))
