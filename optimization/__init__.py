"""Search over wordings: patient folds, sweeps over the prompt library, and optimisation of wordings."""
