"""The roof: the only place that wires."""
