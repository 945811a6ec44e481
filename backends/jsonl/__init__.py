"""A model that is another program speaking JSON lines."""
