"""Orders: what was sold to whom, at which prices."""
