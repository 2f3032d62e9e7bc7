"""What the faces share: the session, guards against forged requests, limits, access, filters."""
