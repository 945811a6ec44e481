"""Video and sound files: what they hold, frames, samples, clips."""
