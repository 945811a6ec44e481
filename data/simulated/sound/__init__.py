"""What is heard in a simulated recording."""
