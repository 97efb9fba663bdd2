"""Regard over HTTP: an OpenAI-compatible API (`vlm serve`), a web page (`vlm ui`), both together (`vlm up`)."""

API_KEY_VARIABLE = "REGARD_API_KEY"  # the one thing read from the environment, because it is a secret
