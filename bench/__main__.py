"""`python -m bench [NAME]`: run one measurement, or all of them."""

import os
import sys
from collections.abc import Callable

from bench.figures import Figure
from bench.submit_api import measure_submit_api

MEASUREMENTS: dict[str, Callable[[float], Figure]] = {"submit_api": measure_submit_api}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"no such measurement: {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
        return 2
    scale = float(os.environ.get("SCALE", "1"))
    for name in names or MEASUREMENTS:
        print(MEASUREMENTS[name](scale).line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
