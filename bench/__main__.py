"""`python -m bench [NAME]`: run one measurement, or all of them."""

import os
import sys
from collections.abc import Callable, Iterable

from bench.attack import measure_attack
from bench.figures import Figure
from bench.submit_api import measure_submit_api
from bench.visibility import measure_visibility

MEASUREMENTS: dict[str, Callable[[float], Iterable[Figure]]] = {
    "submit_api": measure_submit_api,
    "attack": measure_attack,
    "visibility": measure_visibility,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"no such measurement: {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
        return 2
    scale = float(os.environ.get("SCALE", "1"))
    for name in names or MEASUREMENTS:
        for figure in MEASUREMENTS[name](scale):
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
