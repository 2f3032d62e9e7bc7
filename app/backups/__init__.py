"""A whole shop in one file, and back: the database and its documents. See docs/backups.md.

``taking`` writes it, ``restoring`` brings it into an empty database of either kind; ``archive`` is the
file, ``rows`` how a row is written down, ``sqlite`` and ``postgresql`` what differs between the two.
"""
