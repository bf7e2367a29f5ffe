"""`python -m skeldir` is the `skeldir` command."""

import sys

try:
    from skeldir.cli import main

    main()
except KeyboardInterrupt:
    sys.exit(130)  # asked to end before it had begun: nothing to clean up, and nothing to say
