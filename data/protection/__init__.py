"""Protected patients: who is kept for tests and confirmation, who gets which recordings, and who looked when."""
