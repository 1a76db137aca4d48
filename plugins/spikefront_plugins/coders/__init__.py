"""Built-in coders."""
