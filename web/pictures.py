"""The pictures of products that there are: for the desk's pages and for programs."""

from pathlib import Path

from flask import current_app

_FOLDER = "img/products"


def product_pictures() -> list[str]:
    """As a product names them, in the order of their names."""
    folder = Path(current_app.static_folder or "") / _FOLDER
    return sorted(f"{_FOLDER}/{one.name}" for one in folder.glob("*.svg"))
