"""lmms-eval tasks of the seven-task hierarchy S3 (arXiv 2605.21852), tasks 2 to 7."""
