"""``./shop bench [NAME …]``: measure, against a floor in the same run. Without a name: all in turn."""

import subprocess
import sys
from collections.abc import Sequence

NAMES = ("api", "bill_run", "import_invoices", "ledger", "pdf")


def main(argv: Sequence[str]) -> int:
    """Run the named benches; 2 for a name that is none."""
    unknown = [name for name in argv if name not in NAMES]
    if unknown:
        print(f"There is no bench {unknown[0]}; there are: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    for name in argv or NAMES:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
