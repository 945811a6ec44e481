"""From answers to the summaries that tables and pages show."""
