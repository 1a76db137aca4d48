"""`python -m spikefront` is the `spikefront` program."""

from spikefront.cli import main

main()
