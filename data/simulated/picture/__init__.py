"""How a simulated recording is drawn."""
