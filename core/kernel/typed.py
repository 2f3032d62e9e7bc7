"""What people typed into a large field. Called by the rooms that keep such words."""


def lines(text: str) -> str:
    """The words without signs that cannot be printed; their lines stay."""
    return "\n".join(
        "".join(sign for sign in line if sign.isprintable()).rstrip()
        for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    ).strip()
