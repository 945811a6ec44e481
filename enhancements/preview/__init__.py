"""A page that shows a recording before and after enhancement."""
