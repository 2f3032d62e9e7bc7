"""What the documents show of themselves, for ``flows.verify``."""
