"""How enhancement steps are run, cached and recorded."""
