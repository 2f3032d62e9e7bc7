"""A small history in the shape that an old till writes: one row a line, times and prices local."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.settings import Settings, load

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
SHIPPED = Path(__file__).parent.parent / "invoices" / "mappings" / "online_retail.toml"


def line(
    number: str,
    quantity: str = "1",
    price: str = "2.5",
    *,
    sku: str = "22139",
    name: str = "COPPER KETTLE",
    at: str = "2010-12-01 08:26:00",
    customer: str = "17850.0",
    country: str = "United Kingdom",
) -> list[str]:
    """One row. ``at`` is the till's own time."""
    return [number, sku, name, quantity, at, price, customer, country]


#: Two invoices, a credit memo, a sale over the counter and a note: 105.27 GBP billed, 13.95 given back.
HISTORY = (
    line("536365", "6", "2.55", sku="85123A", name="WHITE LANTERN"),
    line("536365", "8", "2.75", name="TIN OF TEA"),
    line("536366", "3", "1.255", sku="71053", customer="13047.0", country="EIRE"),
    line("C536367", "-3", "4.65", sku="22632", name="HAND WARMER", at="2010-12-02 09:41:00"),
    line("536368", "20", "3.21", customer="", at="2010-12-02 10:03:00"),
    line("536369", "-12", "0.0", name="", customer="", at="2010-12-02 11:20:00"),
)


def write(path: Path, rows: Iterable[Iterable[str]] = HISTORY, encoding: str = "utf-8") -> Path:
    """Write a file with a header and ``rows``."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def mapping(path: Path, changes: Mapping[str, str] | None = None) -> Path:
    """The shipped mapping with some texts replaced."""
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def settings(folder: Path) -> Settings:
    """Settings of a shop whose documents are below ``folder``."""
    return load(
        {
            "SHOP_MODE": "test",
            "DATABASE_URL": "sqlite:///unused",
            "SECRET_KEY": "x" * 32,
            "BASE_URL": "http://localhost:8000",
            "DATA_DIR": str(folder),
            "STRIPE_KEY": "sk_sandbox_x",
            "STRIPE_WEBHOOK_SECRETS": "whsec_x",
            "MAIL_FROM": "Shop <shop@example.com>",
        }
    )
