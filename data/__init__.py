"""Recording sets: reading, checking, importing, segmenting, de-identifying and simulating them."""
