"""What a merchant may set about disputes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """``answer_days`` business days until an answer is promised; ``credit_limit`` in whole units, above which
    two people decide; ``file_bytes`` a picture may have."""

    answer_days: int = 5
    credit_limit: int = 100
    file_bytes: int = 8_000_000
