"""The web app: thin pages over pure figure functions and read-only queries."""
