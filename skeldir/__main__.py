"""`python -m skeldir` is the `skeldir` command."""

from skeldir.cli import main

main()
