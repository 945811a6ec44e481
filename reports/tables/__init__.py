"""Tables for terminal, Markdown, CSV and LaTeX."""
