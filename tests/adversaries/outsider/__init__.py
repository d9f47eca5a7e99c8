"""Whoever is no member, and knows nothing but what everybody may read."""
