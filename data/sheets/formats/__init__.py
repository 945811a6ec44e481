"""Files of annotation programs, read as sheets."""
