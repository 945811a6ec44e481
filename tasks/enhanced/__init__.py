"""The feature tasks with the media enhanced: same recordings, same windows, same wording."""
