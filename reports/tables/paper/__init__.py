"""Tables in the layouts of the publications."""
