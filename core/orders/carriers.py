"""Who carries parcels, and where one can be followed."""

from urllib.parse import quote, urlsplit

#: By name; the number goes in place of the braces.
CARRIERS = {
    "UPS": "https://www.ups.com/track?tracknum={}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "DHL": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}",
    "GLS": "https://gls-group.com/track/{}",
    "DPD": "https://tracking.dpd.de/status/en_US/parcel/{}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
}


def link(carrier: str, number: str, own: str = "") -> str:
    """Where a parcel can be followed: the link that was given, else the carrier's; or empty."""
    if own:
        return own
    pattern = CARRIERS.get(carrier, "")
    return pattern.format(quote(number, safe="")) if pattern and number else ""


def followed(text: str) -> str:
    """A link that was kept, for a page: nothing where nobody may be sent there."""
    return text if is_link(text) else ""


def is_link(text: str) -> bool:
    """Is it an address that a customer may be sent to?"""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in ("https", "http") and "." in host and not parts.username
