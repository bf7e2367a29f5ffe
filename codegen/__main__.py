"""The command line: `python -m codegen` and `python -m codegen --check`."""

import argparse
import gc
import sys
from pathlib import Path

from codegen.build import Build, build
from codegen.findings import ContractError
from codegen.layout import Layout

DESCRIPTION = """\
Generate routes, models, stubs, the conformance proof and the trace from the OpenAPI contracts.

Reads   api-contracts/openapi/v1/**/*.yaml and templates/codegen/
Writes  generated/ (bundles, models, routes, stubs.py, conformance.py, registry.py, trace.json)

Only contracts that changed are bundled, checked and modelled again. A contract with a fault stops
everything before a file is written; each fault is printed with the rule it breaks and how to mend it.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run codegen; returns the exit code."""
    options = _options(arguments)
    gc.disable()  # a short run that imports much: collecting garbage costs a tenth of it
    layout = Layout(options.root.resolve())
    try:
        found = build(layout, parallel=True, fresh=options.fresh)
    except ContractError as error:
        print(*error.findings, sep="\n")
        return 1
    return _check(found) if options.check else _write(layout, found)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m codegen",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit code: 0 done or clean, 1 drift or a fault in a contract.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 when generated/ is not what the contracts produce, first with "
        "a line for each drifted operation or file, then the difference",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="trust no recorded digest: bundle, check and model every contract again",
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).parent.parent,
        help="the folder that holds api-contracts/, templates/ and generated/ (default: this repository)",
    )
    return parser.parse_args(arguments)


def _check(found: Build) -> int:
    if found.is_clean:
        print(f"generated/ is what {len(found.now.contracts)} contracts produce")
        return 0
    from codegen.drift import report  # noqa: PLC0415  not needed when nothing drifted

    print(report(found), end="")
    return 1


def _write(layout: Layout, found: Build) -> int:
    from codegen.write import write  # noqa: PLC0415  not needed by a check

    for line in write(layout, found):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
