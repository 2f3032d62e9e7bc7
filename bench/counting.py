"""How many statements the calls of an order send to the database, in this process; for ``bench.api``.

It takes a cart, puts two things into it and orders one more cart with one thing by bill, twice: the second
time nothing is read for the first time.
"""

import json
import uuid
from typing import Any

from flask.testing import FlaskClient

from app.web import create
from bench.api import CHECKOUT
from tests.rooms.web.looking import statements
from web.context import house


def main() -> None:
    """Print how many, as JSON: by call."""
    app = create()
    with app.app_context():
        db = house().db
    client = app.test_client(use_cookies=False)
    found: dict[str, int] = {}

    def count(name: str, path: str, body: Any = None, key: str = "") -> Any:
        with statements(db) as sent:
            answer = _post(client, path, body, key)
        found[name] = len(sent)
        return answer

    for _ in range(2):
        cart = f"/carts/{count('new cart', '/carts')['id']}"
        count("add", f"{cart}/lines", {"sku": "THING-00001", "quantity": 1})
        count("add another", f"{cart}/lines", {"sku": "THING-00002", "quantity": 1})
        cart = f"/carts/{count('new cart', '/carts')['id']}"
        count("add", f"{cart}/lines", {"sku": "THING-00001", "quantity": 1})
        count("place order", f"{cart}/checkout", CHECKOUT, uuid.uuid4().hex)
    print(json.dumps(found))


def _post(client: FlaskClient, path: str, body: Any, key: str) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    base = "http://localhost"
    answer = client.post(f"/api/v1{path}", json=body, headers=headers, base_url=base)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


if __name__ == "__main__":
    main()
