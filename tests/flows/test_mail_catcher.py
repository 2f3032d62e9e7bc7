"""The demo's mail box, end to end on this machine: a mail goes in by SMTP and is read on a page."""

import json
import smtplib
import urllib.error
import urllib.request
from email.message import EmailMessage

import pytest

from app.demo.mail_catcher import catching
from tests.ports import free_ports

LINK = "http://localhost:8000/orders/7?token=abc"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


@pytest.fixture
def box(tmp_path):
    """The mail box's page address and SMTP port."""
    page, smtp = free_ports(), free_ports()
    with catching(tmp_path / "mail", page_port=page, smtp_port=smtp):
        yield f"http://127.0.0.1:{page}", smtp


def mail(subject="Your order 7", to="nora@example.com"):
    message = EmailMessage()
    message["From"] = "Fernway <shop@fernway.example.com>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content(f"Thank you. Follow it at {LINK}.\n")
    message.add_alternative(
        f'<html><head><title>x</title></head><body><img alt="" src="cid:logo"><a href="{LINK}">Follow'
        f"</a><script>alert(1)</script></body></html>",
        subtype="html",
    )
    formatted = list(message.iter_parts())[1]
    formatted.add_related(PNG, "image", "png", cid="<logo>")
    message.add_attachment(
        b"%PDF-1.7", maintype="application", subtype="pdf", filename="Rechnung ü.pdf"
    )
    return message


def send(smtp, *messages):
    with smtplib.SMTP("127.0.0.1", smtp, timeout=10, local_hostname="localhost") as client:
        for message in messages:
            client.send_message(message)


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.read(), answer.headers


def mails(address, query=""):
    return json.loads(get(f"{address}/api/mails{query}")[0])


def test_a_sent_mail_is_listed_and_read(box):
    address, smtp = box
    send(smtp, mail())
    (caught,) = mails(address)["mails"]
    assert caught["to"] == ["nora@example.com"]
    assert caught["subject"] == "Your order 7"
    assert caught["links"] == [LINK]
    listing = get(f"{address}/")[0].decode()
    assert f'<a href="/mail/{caught["id"]}">Your order 7</a>' in listing
    page = get(f"{address}/mail/{caught['id']}")[0].decode()
    assert f'<a href="{LINK}" target="_blank" rel="noopener noreferrer">{LINK}</a>.' in page
    assert "Rechnung ü.pdf" in page


def test_the_formatted_body_can_run_nothing_and_opens_links_in_a_new_tab(box):
    address, smtp = box
    send(smtp, mail())
    (caught,) = mails(address)["mails"]
    body, headers = get(f"{address}/mail/{caught['id']}/html")
    assert b'<head><base target="_blank">' in body
    assert b'src="data:image/png;base64,iVBORw0K' in body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script" not in policy


def test_an_attachment_is_saved_under_its_name(box):
    address, smtp = box
    send(smtp, mail())
    (caught,) = mails(address)["mails"]
    body, headers = get(f"{address}/mail/{caught['id']}/attachment/0")
    assert body == b"%PDF-1.7"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''Rechnung%20%C3%BC.pdf"


def test_newest_come_first_in_pages(box):
    address, smtp = box
    send(smtp, *(mail(subject=f"Mail {number}") for number in range(27)))
    first, second = mails(address), mails(address, "?page=2")
    assert (first["total"], first["pages"]) == (27, 2)
    subjects = [caught["subject"] for caught in first["mails"] + second["mails"]]
    assert subjects == [f"Mail {number}" for number in reversed(range(27))]
    assert '<a rel="next" href="?page=2">Older</a>' in get(f"{address}/")[0].decode()


def test_mails_to_one_person_are_found(box):
    address, smtp = box
    send(smtp, mail(to="nora@example.com"), mail(to="ivo@example.com"))
    found = mails(address, "?to=IVO@example.com")
    assert [caught["to"] for caught in found["mails"]] == [["ivo@example.com"]]


def test_mails_outlive_the_mail_box(tmp_path):
    for _ in range(2):
        page, smtp = free_ports(), free_ports()
        with catching(tmp_path, page_port=page, smtp_port=smtp):
            send(smtp, mail())
            total = mails(f"http://127.0.0.1:{page}")["total"]
    assert total == 2


def test_a_mail_is_kept_byte_for_byte_under_its_envelope(box):
    address, smtp = box
    content = b"Subject: caf\xc3\xa9\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe line\r\n"
    with smtplib.SMTP("127.0.0.1", smtp, timeout=10, local_hostname="localhost") as client:
        client.sendmail("shop@example.com", ["a@example.com", "b@example.com"], content)
    (caught,) = mails(address)["mails"]
    assert caught["to"] == ["a@example.com", "b@example.com"]
    raw = get(f"{address}/mail/{caught['id']}/raw")[0]
    envelope = b"Return-Path: <shop@example.com>\r\nDelivered-To: a@example.com, b@example.com\r\n"
    assert raw == envelope + content
    assert b"line" in get(f"{address}/mail/{caught['id']}")[0]


@pytest.mark.parametrize(
    "path",
    ["/mail/20260101T000000000000-00000000", "/mail/..%2f..%2fetc", "/nothing", "/api/mails/x"],
)
def test_what_is_not_there_is_said_plainly(box, path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(box[0] + path)
    with refused.value as answer:
        assert answer.code == 404
        assert b"There is no such mail." in answer.read()


def test_a_strange_host_name_reads_no_mail(box):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{box[0]}/api/mails", Host="rebound.example.com:8002")
    refused.value.close()
    assert refused.value.code == 421


def test_health_is_told(box):
    assert json.loads(get(f"{box[0]}/healthz")[0]) == {"status": "ok"}
