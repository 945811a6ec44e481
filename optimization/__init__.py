"""Search over wordings: patient folds, sweeps over the prompt library, and optimization of wordings."""
