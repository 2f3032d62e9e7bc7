"""What words in a list's search are looked for in."""

from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute


def found_in(words: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Do the words stand in one of these columns, in capitals or not?"""
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
