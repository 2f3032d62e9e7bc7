"""Captions in WebVTT: read, and written anew with nothing but their cues.

What a file may hold beside them (style sheets, regions, notes) is left out: it could only fetch, or tell.
"""

import re

from babel import Locale, UnknownLocaleError

from core.kernel.errors import Invalid

MOST_BYTES = 500_000
WRONG = (
    "This is no WebVTT file: it begins with WEBVTT and has times such as 00:01.000 --> 00:04.000."
)
_TIME = r"(?:\d{2,4}:)?[0-5]\d:[0-5]\d\.\d{3}"
_TIMES = re.compile(rf"({_TIME})[ \t]+-->[ \t]+({_TIME})(?:[ \t]+[A-Za-z0-9:%,.\- \t]*)?")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def read(data: bytes) -> str:
    """The file as it is kept. Raises Invalid for what is no WebVTT, or has no cue."""
    if len(data) > MOST_BYTES:
        raise Invalid({"captions": f"At most {MOST_BYTES // 1000} kB."})
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise Invalid({"captions": "Save it as UTF-8."}) from None
    blocks = re.split(r"\n{2,}", text.strip("\n"))
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", blocks[0]):
        raise Invalid({"captions": WRONG})
    cues = [cue for cue in map(_cue, blocks[1:]) if cue]
    if not cues:
        raise Invalid({"captions": WRONG})
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _cue(block: str) -> str:
    """Times and words of one; nothing for what is no cue."""
    lines = block.split("\n")
    at = next((number for number, line in enumerate(lines[:2]) if "-->" in line), None)
    found = _TIMES.fullmatch(lines[at].strip()) if at is not None else None
    if at is None or found is None:
        return ""
    words = [_CONTROL.sub(" ", line).rstrip() for line in lines[at + 1 :] if "-->" not in line]
    return "\n".join([f"{found[1]} --> {found[2]}", *filter(None, words)])


def is_language(text: str) -> bool:
    """Is it a language as the web writes them: ``en``, ``de-CH``?"""
    try:
        return len(text) <= 12 and str(Locale.parse(text, sep="-")).replace("_", "-") == text
    except (UnknownLocaleError, ValueError, TypeError):
        return False
