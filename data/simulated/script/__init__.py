"""What happens in a simulated recording, and its annotations."""
