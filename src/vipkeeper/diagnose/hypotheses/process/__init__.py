"""The supervisor, the API server, and what is meant to hold the VIP."""
