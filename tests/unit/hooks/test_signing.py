"""Signatures are those of the Standard Webhooks specification."""

import base64
import hashlib
import hmac
import re
from pathlib import Path

from core.hooks import signing

#: As the specification's own libraries test it.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
DOCS = Path(__file__).resolve().parents[3] / "docs" / "webhooks.md"


def test_the_specifications_own_example():
    assert signing.sign(SECRET, MESSAGE, AT, BODY) == SIGNATURE


def test_two_secrets_are_two_signatures_so_that_none_is_missed():
    other = signing.new_secret()
    found = signing.headers([other, SECRET], MESSAGE, AT, BODY)
    assert found["webhook-id"] == MESSAGE
    assert found["webhook-timestamp"] == str(AT)
    assert found["webhook-signature"] == f"{signing.sign(other, MESSAGE, AT, BODY)} {SIGNATURE}"


def test_a_secret_is_as_long_as_the_specification_wants():
    secret = signing.new_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert signing.new_secret() != secret


def test_the_program_in_the_docs_takes_what_is_ours_and_nothing_else():
    source = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert source is not None
    place: dict[str, object] = {}
    exec(source[1], place)
    verify = place["verify"]
    assert callable(verify)
    body = BODY.encode()
    headers = signing.headers([signing.new_secret(), SECRET], MESSAGE, AT, BODY)
    assert verify(SECRET, headers, body, now=AT + 60) is True
    assert verify(SECRET, headers, body + b" ", now=AT) is False
    assert verify(signing.new_secret(), headers, body, now=AT) is False
    assert verify(SECRET, headers, body, now=AT + 301) is False, "too old"
    assert verify(SECRET, headers, body, now=AT - 301) is False, "from the future"
    assert verify(SECRET, {**headers, "webhook-id": "msg_other"}, body, now=AT) is False
    assert verify(SECRET, {}, body, now=AT) is False
    bad = base64.b64encode(hmac.digest(b"guess", body, hashlib.sha256)).decode()
    assert verify(SECRET, {**headers, "webhook-signature": f"v1,{bad} v2,x"}, body, now=AT) is False
