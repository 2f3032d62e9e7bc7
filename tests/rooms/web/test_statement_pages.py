"""A long statement's page shows its movements in parts; together they are all of them, once."""

import pytest

from invoices.statements.models import Statement
from tests.rooms.invoices.statements.samples import FIRM, STATEMENT, many
from web import statements
from web.statements import PAGE_SIZE, sheet


def _sheet(document, number: str = ""):
    return sheet(Statement(document=document.to_dict()), "/s/1", number)


@pytest.mark.parametrize("count", [1, PAGE_SIZE, PAGE_SIZE + 1, 1_003])
def test_every_movement_stands_on_one_page(count: int):
    document, seen, number = many(count), [], 1
    while True:
        shown = _sheet(document, str(number) if number > 1 else "")
        seen += [each.posting for part in shown.parts for each in part.movements]
        assert sum(len(part.movements) for part in shown.parts) <= PAGE_SIZE
        if shown.pager["next_href"] is None:
            break
        number += 1
        assert shown.pager["next_href"] == f"/s/1?page={number}"
    assert sorted(seen) == list(range(1, count + 1))
    assert len(seen) == len(set(seen))


def test_a_block_is_summed_where_it_ends_and_a_section_where_it_ends(monkeypatch):
    monkeypatch.setattr(statements, "PAGE_SIZE", 2)
    first, second = _sheet(STATEMENT), _sheet(STATEMENT, "2")
    assert [part.ends for part in first.parts] == [True, True]
    assert [part.ends_section for part in first.parts] == [False, False]
    assert [part.ends_section for part in second.parts] == [True]
    assert second.pager["prev_href"] == "/s/1"
    assert [part.begins_section for part in _sheet(FIRM).parts] == [True, True]
