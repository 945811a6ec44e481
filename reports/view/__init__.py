"""A local page that lists runs, follows the one that is going on, and opens their reports."""
