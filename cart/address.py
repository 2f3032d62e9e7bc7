"""Addresses as people type them, and what is wrong with one. One shape for page and API."""

import re
from typing import Any

from cart import formats
from cart.formats import Format

#: Field → longest text. ``line2`` and ``phone`` may be empty; what else may, ``cart.formats`` says.
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
_MISSING = {
    "name": "Tell us who it is for.",
    "line1": "Tell us the street and number.",
    "city": "Tell us the town.",
    "country": "Choose a country.",
}
_WORDS = {"State": "state", "ZIP code": "ZIP code", "PIN code": "PIN code", "CEP": "CEP"}
US_STATES = frozenset(formats.of("US").regions)
_COUNTRY = re.compile(r"[A-Z]{2}")


def clean(raw: dict[str, Any]) -> dict[str, str]:
    """Only the known fields, in printable signs, without white space around; country, and regions that are
    codes, in capitals; postal codes as they are written there."""
    address = {name: _plain(str(raw.get(name) or "")) for name in FIELDS}
    address["country"] = address["country"].upper()
    known = formats.of(address["country"])
    if known.regions:
        address["region"] = address["region"].upper()
    address["postal_code"] = known.tidy(address["postal_code"])
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
    known = formats.of(address.get("country", ""))
    found = {name: text for name, text in _MISSING.items() if not address.get(name)}
    for name, longest in FIELDS.items():
        if len(address.get(name, "")) > longest:
            found[name] = f"Use at most {longest} characters."
    if "country" not in found and not _COUNTRY.fullmatch(address["country"]):
        found["country"] = "Give the country as two letters, such as US."
    for name in ("region", "postal_code"):
        if name not in found and (text := _local(known, name, address.get(name, ""))):
            found[name] = text
    return found


def _local(known: Format, name: str, text: str) -> str:
    """What is wrong with a field that each country has in its own way; empty when nothing is."""
    label = known.region if name == "region" else known.postal
    word = _WORDS.get(label, label[:1].lower() + label[1:])
    if not text:
        return f"Tell us the {word}." if name in known.needs else ""
    if name == "region":
        if known.regions and text not in known.regions:
            letters = "two letters" if len(known.region_example) == 2 else "its letters"
            return f"Give the {word} as {letters}, such as {known.region_example}."
        return ""
    if known.is_code(text):
        return ""
    if known.numeric:
        digits = sum(sign.isdigit() for sign in known.example)
        article = "An" if label[:1] in "AEIO" else "A"
        return f"{article} {word} has {_NUMBERS[digits]} digits, like {known.example}."
    return f"This is no {word}: one looks like {known.example}."


_NUMBERS = {4: "four", 5: "five", 6: "six"}


def lines(address: dict[str, Any] | None) -> tuple[str, ...]:
    """The address as it is printed in its country, without the name."""
    if not address:
        return ()
    values = {name: str(address.get(name) or "") for name in FIELDS}
    known = formats.of(values["country"])
    places = [" ".join(line.format(**values).split()).strip(" ,") for line in known.printed]
    return tuple(part for part in (values["line1"], values["line2"], *places) if part)
