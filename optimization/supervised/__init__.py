"""Cross-validated training of video classifiers, which then answer like any model."""
