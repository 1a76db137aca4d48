"""The built-in components: a folder for each kind, a file for each component."""
