"""Epileptic or not, from what was seen: a classifier on the answers to the 20 features."""
