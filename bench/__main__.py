"""`python -m bench [NAME,…]`: run some measurements, or all of them."""

import os
import sys
from collections.abc import Callable, Iterable

from bench.attack import measure_attack
from bench.figures import Figure
from bench.form_page import measure_form_page
from bench.submit_api import measure_submit_api
from bench.submit_form import measure_submit_form
from bench.submit_many_workspaces import measure_submit_many_workspaces
from bench.submit_p99_ms import measure_submit_p99_ms
from bench.submit_vs_orm import measure_submit_vs_orm
from bench.visibility import measure_visibility

MEASUREMENTS: dict[str, Callable[[float], Iterable[Figure]]] = {
    "submit_api": measure_submit_api,
    "submit_form": measure_submit_form,
    "submit_vs_orm": measure_submit_vs_orm,
    "submit_many_workspaces": measure_submit_many_workspaces,
    "submit_p99_ms": measure_submit_p99_ms,
    "form_page": measure_form_page,
    "attack": measure_attack,
    "visibility": measure_visibility,
}


def main(words: list[str]) -> int:
    names = [name for word in words for name in word.split(",") if name]
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
