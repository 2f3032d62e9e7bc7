"""Past due: what happens to an account that does not pay, and when. Called by ``flows.chase``."""
