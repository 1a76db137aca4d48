"""Built-in fitness."""
