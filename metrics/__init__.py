"""Scores and intervals: plain functions over arrays and data frames, without file formats or model names."""
