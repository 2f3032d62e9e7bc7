"""Amounts: how many decimals a currency has here, the least charge, the fee, and how they read."""

ZERO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMALS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "cad": 50, "aud": 50, "chf": 50, "kwd": 500}
MOST = 99_999_999
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def decimals(currency: str) -> int:
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def fee(amount: int) -> int:
    """2.9 percent, rounded half up, and 30 of the smallest unit."""
    return (amount * 29 + 500) // 1000 + 30


def figure(amount: int, currency: str) -> str:
    """Digits with thousands and decimals, without a sign: ``1,204.50``."""
    places = decimals(currency)
    whole, part = divmod(abs(amount), 10**places)
    minus = "−" if amount < 0 else ""
    return f"{minus}{whole:,}" + (f".{part:0{places}d}" if places else "")


def sign(currency: str) -> str:
    return SIGNS.get(currency, currency.upper() + " ")


def words(amount: int, currency: str) -> str:
    return sign(currency) + figure(amount, currency)
