"""What a server's processes load."""

import subprocess
import sys


def test_workers_do_not_load_what_only_terminals_need() -> None:
    """Each process of a pool would pay for it in memory; whoever wants it can still import it."""
    program = "import sys, workers.app; assert 'rich' not in sys.modules; import rich.console"
    subprocess.run([sys.executable, "-c", program], check=True)
