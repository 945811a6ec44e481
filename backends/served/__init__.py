"""Questions about recordings to a model on an OpenAI-compatible server; behind ``semiology_openai``."""
