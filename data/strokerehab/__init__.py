"""Folders of stroke-rehabilitation videos: their layout, labels, clips, splits, and a drawn set to try."""
