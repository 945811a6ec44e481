"""What may leave the machine: addresses, models, uploads, remote code."""
