"""What a recording set holds, told without a model: who was recorded, and how often each feature is seen."""
