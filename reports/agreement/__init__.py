"""``semiology agreement``: annotators with each other, metrics with experts."""
