"""Captions are kept as cues alone: what else a file holds is left out, what is none is refused."""

import pytest

from cms_content import captions
from core.kernel.errors import Invalid

FILE = """\ufeffWEBVTT - our line

STYLE
::cue { background: url(https://evil.example/x) }

NOTE who wrote it

REGION
id:fred

1
00:01.000 --> 00:04.000 align:start
<v Mara>It was working
before the kettle boiled.

00:00:05.500 --> 00:00:07.000
And <b>stays</b>.

bad --> worse
Not said.
"""


def test_only_the_cues_are_kept():
    for ends in ("\n", "\r\n", "\r"):
        assert captions.read(FILE.replace("\n", ends).encode()) == (
            "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Mara>It was working\nbefore the kettle boiled.\n\n"
            "00:00:05.500 --> 00:00:07.000\nAnd <b>stays</b>.\n"
        )


@pytest.mark.parametrize(
    "data",
    [b"", b"1\n00:01.000 --> 00:02.000\nx", b"WEBVTTX\n\n", b"WEBVTT", b"\xff\xfe", b"x" * 600_000],
)
def test_what_is_none_is_refused(data: bytes):
    with pytest.raises(Invalid):
        captions.read(data)
