"""Many questions about one video for the price of one: transformers models behind a shared key-value prefix.

A window of a recording is decoded, resized, encoded and prefilled once; every question about it is then a
short suffix behind the same cache. :mod:`semiology.backends.shared_prefix.engine` is the entry point, and
:mod:`semiology.backends.semiology_hf` the lmms-eval class on top of it. Messages in, text out.
"""
