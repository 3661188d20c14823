"""`python -m bench [NAME,…]`: run some measurements, or all of them."""

import math
import os
import sys
from collections.abc import Callable, Iterable

from bench.attack import measure_attack
from bench.dashboards import (
    measure_dashboard_growth,
    measure_dashboard_ms,
    measure_metrics_ms,
    measure_metrics_vs_duckdb,
    measure_metrics_vs_raw,
)
from bench.export_rows import measure_export_growth_mb, measure_export_rows
from bench.figures import Figure
from bench.form_page import measure_form_page
from bench.import_rows import measure_import_rows
from bench.jobs_vs_submit_p99 import measure_jobs_vs_submit_p99
from bench.load_rows import measure_load_rows
from bench.start import measure_idle_mb, measure_start_s
from bench.submit_api import measure_submit_api
from bench.submit_form import measure_submit_form
from bench.submit_many_workspaces import measure_submit_many_workspaces
from bench.submit_p99_ms import measure_submit_p99_ms
from bench.submit_vs_orm import measure_submit_vs_orm
from bench.themes import measure_themes
from bench.visibility import measure_visibility

MEASUREMENTS: dict[str, Callable[[float], Iterable[Figure]]] = {
    "submit_api": measure_submit_api,
    "submit_form": measure_submit_form,
    "submit_vs_orm": measure_submit_vs_orm,
    "submit_many_workspaces": measure_submit_many_workspaces,
    "submit_p99_ms": measure_submit_p99_ms,
    "form_page": measure_form_page,
    "jobs_vs_submit_p99": measure_jobs_vs_submit_p99,
    "dashboard_growth": measure_dashboard_growth,
    "dashboard_ms": measure_dashboard_ms,
    "metrics_ms": measure_metrics_ms,
    "metrics_vs_duckdb": measure_metrics_vs_duckdb,
    "metrics_vs_raw": measure_metrics_vs_raw,
    "load_rows": measure_load_rows,
    "export_rows": measure_export_rows,
    "export_growth_mb": measure_export_growth_mb,
    "import_rows": measure_import_rows,
    "start_s": measure_start_s,
    "idle_mb": measure_idle_mb,
    "attack": measure_attack,
    "visibility": measure_visibility,
    "themes": measure_themes,
}


def main(words: list[str]) -> int:
    names = [name for word in words for name in word.split(",") if name]
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        known = ", ".join(MEASUREMENTS)
        return _refuse(f"no such measurement: {', '.join(unknown)}; there are: {known}")
    given = os.environ.get("SCALE", "1")
    scale = _read_scale(given)
    if scale is None:
        return _refuse(f"SCALE is a number above 0, such as 0.1 for a tenth of the time: {given}")
    for name in names or MEASUREMENTS:
        for figure in MEASUREMENTS[name](scale):
            print(figure.line(), flush=True)
    return 0


def _read_scale(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 < found < math.inf else None


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
