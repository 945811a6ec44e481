"""Models for lmms-eval: messages in, text out."""
