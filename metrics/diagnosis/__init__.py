"""ES or NES from the features of a recording: classifiers on patient folds, what they look at, what they are worth."""
