"""Programs for the makers of this package; not installed."""
