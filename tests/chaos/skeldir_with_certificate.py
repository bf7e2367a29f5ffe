"""`skeldir`, which finds PayPal's certificate in a file: PayPal's own address is out of a test's reach."""

import os
from pathlib import Path

from skeldir.cli import main
from skeldir.vendors import paypal_certificates

if __name__ == "__main__":
    document = Path(os.environ["SKELDIR_TEST_CERTIFICATE"]).read_bytes()
    paypal_certificates.fetch = lambda _: document  # type: ignore[assignment]
    main()
