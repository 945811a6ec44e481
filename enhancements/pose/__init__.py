"""Skeletons: from keypoint files or live, tracked, smoothed and drawn."""
