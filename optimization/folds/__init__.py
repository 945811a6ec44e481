"""Patient-grouped folds."""
