"""One mail of each kind, as Fernway would write it to somebody invented: for previews, and for tests."""

from dataclasses import replace

from core.notices.letters import Letter, Letterhead
from core.notices.samples import everyday, orders, trials


def every(head: Letterhead) -> dict[str, Letter]:
    """All of them by name, under a letterhead."""
    found: dict[str, Letter] = {
        **everyday.ALL,
        **orders.ALL,
        **orders.OTHERS,
        **{f"trial-{name}": letter for name, letter in trials.ALL.items()},
    }
    return {name: replace(letter, head=head) for name, letter in found.items()}
