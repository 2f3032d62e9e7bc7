"""A customer disputes a line of a bill: what was said, what was decided, and the credit that came of it."""
