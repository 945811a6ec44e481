"""Video classifiers trained on a recording set: networks, training, and the model class that answers from them."""
