"""Addresses as people type them, and what is wrong with one. One shape for page and API."""

import re
from typing import Any

#: Field → longest text. ``line2`` and ``phone`` may be empty.
FIELDS = {
    "name": 120,
    "phone": 40,
    "line1": 120,
    "line2": 120,
    "city": 80,
    "region": 40,
    "postal_code": 20,
    "country": 2,
}
_OPTIONAL = {"phone", "line2"}
_MISSING = {
    "name": "Tell us who it is for.",
    "line1": "Tell us the street and number.",
    "city": "Tell us the town.",
    "region": "Tell us the state.",
    "postal_code": "Tell us the ZIP code.",
    "country": "Choose a country.",
}
US_STATES = frozenset(
    (
        "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM "
        "NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR GU VI"
    ).split()
)
_COUNTRY = re.compile(r"[A-Z]{2}")
_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")


def clean(raw: dict[str, Any]) -> dict[str, str]:
    """Only the known fields, in printable signs, without white space around; state and country in
    capitals."""
    address = {name: _plain(str(raw.get(name) or "")) for name in FIELDS}
    address["country"] = address["country"].upper()
    if address["country"] == "US":
        address["region"] = address["region"].upper()
    return address


def _plain(text: str) -> str:
    """White space becomes one space; what cannot be printed (or stored) is left out."""
    words = " ".join(text.split())
    if words.isprintable():
        return words
    # What is left out may have stood between two spaces.
    return " ".join("".join(sign for sign in words if sign.isprintable()).split())


def problems(address: dict[str, str]) -> dict[str, str]:
    """What is wrong, by field; empty when it can be used."""
    found = {
        name: _MISSING[name]
        for name in FIELDS
        if name not in _OPTIONAL and not address.get(name) and not _regionless(name, address)
    }
    for name, longest in FIELDS.items():
        if len(address.get(name, "")) > longest:
            found[name] = f"Use at most {longest} characters."
    if "country" not in found and not _COUNTRY.fullmatch(address["country"]):
        found["country"] = "Give the country as two letters, such as US."
    if address.get("country") == "US":
        found |= _us_problems(address, found)
    return found


def _regionless(name: str, address: dict[str, str]) -> bool:
    return name == "region" and address.get("country") != "US"


def _us_problems(address: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    more = {}
    if "region" not in found and address["region"] not in US_STATES:
        more["region"] = "Give the state as two letters, such as OH."
    if "postal_code" not in found and not _ZIP.fullmatch(address["postal_code"]):
        more["postal_code"] = "A ZIP code has five digits, like 43099."
    return more


def lines(address: dict[str, Any] | None) -> tuple[str, ...]:
    """The address as it is printed, without the name."""
    if not address:
        return ()
    place = (
        f"{address.get('city', '')}, {address.get('region', '')} {address.get('postal_code', '')}"
    )
    if address.get("country") != "US":
        place = (
            f"{address.get('postal_code', '')} {address.get('city', '')} {address.get('country')}"
        )
    parts = (address.get("line1"), address.get("line2"), " ".join(place.split()))
    return tuple(str(part) for part in parts if part)
