"""The documentation site: pages made from the code, and links that lead out of docs/. Build it with `make docs`."""
