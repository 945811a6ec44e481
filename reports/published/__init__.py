"""Published answers: imported, reproduced, and put beside new ones."""
