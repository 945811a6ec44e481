"""The search for better wordings."""
