"""Reading result files and writing tables."""
