"""Agreement of raters, wordings and metrics with experts."""
