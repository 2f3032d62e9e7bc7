"""The contract of a tax service, held against each that there is; and what outside ones may get wrong."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.tax.arithmetic import EXEMPT, Tax
from core.tax.http_service import HttpTaxService
from core.tax.register import Verdict, Vies
from core.tax.service import (
    Answers,
    AskedLine,
    ElseOwnTable,
    NoTaxAnswer,
    OwnTable,
    Place,
    Question,
    TaxService,
    Unanswered,
    check,
)

SALES = Tax("Ohio", "Sales tax", 65_000)
FREED = Tax("Ohio", "Sales tax", 65_000, relief=EXEMPT, reference="OH-1")


def question(*amounts: int, place: Place | None = None, tax: Tax = SALES) -> Question:
    return Question(
        seller="fernway",
        seller_country="US",
        currency="USD",
        rounding="document",
        included=False,
        on=date(2026, 11, 17),
        place=place or Place("US", "OH", "44001", "Marrow Bay"),
        vat_id="",
        lines=tuple(AskedLine(amount, "device", (tax,)) for amount in amounts),
    )


class Machine:
    """Another machine: it answers what it is told to, or takes 6.5 % of each line as our table would."""

    def __init__(self) -> None:
        self.says: Any = None
        self.status = 200
        self.heard: list[tuple[dict[str, str], Any]] = []
        machine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                machine.heard.append((dict(self.headers), body))
                data = machine.answer(body)
                self.send_response(machine.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/tax"

    def answer(self, body: Any) -> bytes:
        if self.says is not None:
            return self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()
        lines = [
            {
                "net": line["amount"],
                "taxes": [
                    {
                        "jurisdiction": "Ohio",
                        "name": "Sales tax",
                        "rate_ppm": 65_000,
                        "base": line["amount"],
                        "amount": (line["amount"] * 65 + 500) // 1000,
                    }
                ],
            }
            for line in body["lines"]
        ]
        return json.dumps({"lines": lines}).encode()


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(params=["own table", "outside", "outside, else our own"])
def service(request: pytest.FixtureRequest, machine: Machine) -> TaxService:
    outside = HttpTaxService(machine.url, "a key", 5.0)
    services: dict[str, TaxService] = {
        "own table": OwnTable(),
        "outside": outside,
        "outside, else our own": ElseOwnTable(outside),
    }
    return services[request.param]


def test_a_service_answers_each_line_in_its_place_and_the_same_twice(service: TaxService):
    asked = question(10_000, 5_000, 0)
    answer = service.answer(asked)
    check(asked, answer)
    assert [line.net_minor for line in answer] == [10_000, 5_000, 0]
    assert [line.tax_minor for line in answer] == [650, 325, 0]
    assert list(service.answer(asked)) == list(answer)


def test_a_service_answers_a_question_without_lines(service: TaxService):
    assert list(service.answer(question())) == []


def test_an_outside_one_is_told_what_it_needs_and_nobody_by_name(machine: Machine):
    HttpTaxService(machine.url, "a key").answer(question(10_000, tax=FREED))
    ((headers, body),) = machine.heard
    assert headers["Authorization"] == "Bearer a key"
    assert body == {
        "seller": "fernway",
        "seller_country": "US",
        "currency": "USD",
        "rounding": "document",
        "prices_include_tax": False,
        "date": "2026-11-17",
        "place": {"country": "US", "region": "OH", "postal_code": "44001", "city": "Marrow Bay"},
        "vat_id": "",
        "lines": [{"amount": 10_000, "category": "device", "exemptions": ["OH-1"]}],
    }


def _line(**more: Any) -> dict[str, Any]:
    tax = {"jurisdiction": "X", "name": "Y", "rate_ppm": 1, "base": 1_000, "amount": 0}
    return {"lines": [{"net": 1_000, "taxes": [tax | more]}]}


@pytest.mark.parametrize(
    "says",
    [
        b"not json",
        b"",
        [],
        {},
        {"lines": []},
        {"lines": [{"net": 999, "taxes": []}]},
        {"lines": [{"net": 10.5, "taxes": []}]},
        {"lines": [{"net": "1000", "taxes": []}]},
        {"lines": [{"net": 1_000}]},
        _line(rate_ppm=-1),
        _line(amount=True),
        _line(name="n" * 81),
        _line(relief="because"),
        _line(relief="exempt", amount=1),
    ],
)
def test_what_cannot_be_an_answer_counts_as_none(machine: Machine, says: Any):
    machine.says = says
    answers = Answers(HttpTaxService(machine.url))
    with pytest.raises(NoTaxAnswer):
        answers.ask(question(1_000))


def test_a_refusal_a_silence_and_nobody_there_count_as_none(machine: Machine):
    machine.status = 500
    with pytest.raises(NoTaxAnswer):
        HttpTaxService(machine.url).answer(question(1_000))
    machine.server.shutdown()
    with pytest.raises(NoTaxAnswer):
        HttpTaxService(machine.url, timeout=0.1).answer(question(1_000))
    with pytest.raises(NoTaxAnswer):
        HttpTaxService("http://127.0.0.1:9/tax").answer(question(1_000))


def test_our_own_table_stands_in_where_that_is_wanted(machine: Machine):
    machine.status = 503
    answer = ElseOwnTable(HttpTaxService(machine.url)).answer(question(10_000))
    assert [line.tax_minor for line in answer] == [650]


def test_an_outside_one_has_to_be_asked_before_its_answer_is_there(machine: Machine):
    answers, asked = Answers(HttpTaxService(machine.url)), question(10_000)
    with pytest.raises(Unanswered) as missing:
        answers.of(asked)
    assert machine.heard == []
    answers.ask(missing.value.question)
    assert [line.tax_minor for line in answers.of(asked)] == [650]
    with pytest.raises(Unanswered):
        answers.of(question(10_001))


def test_nobody_is_asked_while_the_place_is_unknown(machine: Machine):
    asked = question(10_000, place=Place(""), tax=Tax("X", "Y", 0))
    assert [line.tax_minor for line in Answers(HttpTaxService(machine.url)).of(asked)] == [0]
    assert machine.heard == []


# --- the register of VAT ids ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        (
            {"valid": True, "name": " Quai\nSARL ", "requestIdentifier": "W1"},
            Verdict("valid", "Quai SARL", "W1"),
        ),
        ({"valid": True, "name": "---"}, Verdict("valid")),
        ({"valid": False}, Verdict("invalid")),
        ({"actionSucceed": False, "errorWrappers": []}, Verdict("no_answer")),
        ({"valid": "yes"}, Verdict("no_answer")),
        (b"<html>", Verdict("no_answer")),
        ([], Verdict("no_answer")),
    ],
)
def test_the_registers_answer_is_yes_no_or_none(machine: Machine, says: Any, verdict: Verdict):
    machine.says = says
    assert Vies(machine.url).check("FR61954506077") == verdict
    ((_, body),) = machine.heard
    assert body == {"countryCode": "FR", "vatNumber": "61954506077"}


def test_a_register_that_is_down_has_no_answer(machine: Machine):
    machine.status, machine.says = 500, {"valid": True}
    assert Vies(machine.url).check("FR61954506077") == Verdict("no_answer")
    assert Vies("http://127.0.0.1:9/").check("FR61954506077") == Verdict("no_answer")
