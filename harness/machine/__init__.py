"""What the machine does to a run: folders, disks, signals, characters that cannot be written."""
