"""Quotes: asked for, drafted, approved, sent, talked about, accepted once or declined."""
