"""`python -m netassay`: the command line."""

from netassay.cli import main

main()
