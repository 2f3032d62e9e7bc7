"""The ground floor: database, money, clock, ids, errors, jobs, audit, numbers, idempotency, blobs.

Nothing here knows what is sold or owed; everything above may import it.
"""
