"""References that more than a formula stands behind."""
