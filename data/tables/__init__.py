"""The tables of a recording set: reading, checking and writing them."""
