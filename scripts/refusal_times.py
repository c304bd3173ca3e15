"""How long the slowest refusals of hostile specs take: none should take two seconds.

    python scripts/refusal_times.py            the ten slowest of the corpus in tests/hostile
    python scripts/refusal_times.py --all

Timings are the business of a script, not of a test: a busy machine must not fail the suite.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

import envs
from tests.hostile.corpus import cases

PROMISE_S = 2.0


def refusal_s(document: str | bytes) -> float:
    """Seconds until a document is refused."""
    begun = time.perf_counter()
    try:
        envs.parse(document)
    except envs.SpecError:
        pass
    else:
        raise SystemExit("a hostile spec was accepted; run the tests")
    return time.perf_counter() - begun


def main() -> int:
    """Print the slowest refusals; the exit code is 1 when one breaks the promise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="print every case")
    options = parser.parse_args()
    times = {case.name: refusal_s(case.document) for case in cases()}
    slowest = sorted(times, key=lambda name: -times[name])
    console = Console(highlight=False)
    table = Table("hostile spec", "ms", title=f"{len(times)} refusals", title_justify="left")
    for name in slowest if options.all else slowest[:10]:
        table.add_row(name, f"{1_000 * times[name]:,.1f}")
    console.print(table)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    console.print(f"in all {sum(times.values()):.2f} s, peak memory {peak_mb:,.0f} MB")
    return 0 if times[slowest[0]] < PROMISE_S else 1


if __name__ == "__main__":
    sys.exit(main())
