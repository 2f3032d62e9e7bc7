"""``./shop bench [--small] [NAME …]``: measure, against a floor in the same run. No name: all in turn."""

import subprocess
import sys
from collections.abc import Sequence

NAMES = ("api", "bill_run", "crowded", "hot", "import_invoices", "ledger", "pdf", "portal")
#: Those that ``--small`` makes short, to try them.
SMALL = ("bill_run", "crowded", "ledger", "portal")


def main(argv: Sequence[str]) -> int:
    """Run the named benches; 2 for a name that is none."""
    small, names = "--small" in argv, [name for name in argv if name != "--small"]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"There is no bench {unknown[0]}; there are: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    for name in names or NAMES:
        print(f"\n== {name}", flush=True)
        options = ["--small"] if small and name in SMALL else []
        subprocess.run([sys.executable, "-m", f"bench.{name}", *options], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
