"""Why something comes back, in the words of pages."""

REASONS = {
    "damaged": "It came damaged",
    "wrong_item": "It is not what was ordered",
    "not_as_described": "It is not as described",
    "changed_mind": "I changed my mind",
    "other": "Another reason",
}
