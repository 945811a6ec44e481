"""``semiology diagnose``: ES or NES in two stages, beside always ES and the experts' own annotations."""
