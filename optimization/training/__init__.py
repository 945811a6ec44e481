"""What a model is trained with: samples from training patients, rewards, and a small trainer."""
