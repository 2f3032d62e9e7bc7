"""Content that merchants write. Empty until pages of blocks come."""
