"""Signs of damage in how a film is stored: its blocks, packets, clocks and units, without decoding pictures."""
