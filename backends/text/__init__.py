"""Text models that read reports and justifications."""
