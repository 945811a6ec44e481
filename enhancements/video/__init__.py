"""Reading and writing the pictures of derived videos."""
