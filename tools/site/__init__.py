"""What the documentation site is made from."""
