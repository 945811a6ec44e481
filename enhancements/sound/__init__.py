"""Sound tracks: loudness and denoising."""
