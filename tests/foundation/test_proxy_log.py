"""The proxy configuration that is shipped writes down no address that may not be told.

What nginx makes of it is tried in `tests/torture/test_nginx.py`; here every route is looked at, so
that a new one is not forgotten.
"""

import re
from pathlib import Path

from app.foundation.settings import Settings
from app.main import create_app
from tests.routes import routes_of

CONFIGURATION = (Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf").read_text()
ANSWERS = re.compile(r"POST/api/v1/surveys/[^/]+/responses(/batch)?")
# Behind these nobody is asked who they are: whoever knows the address comes in.
OPEN_DOORS = {"_anyone", "_visitor", "_respondent"}


def test_the_proxy_tells_of_all_but_secret_addresses_and_answers(settings: Settings) -> None:
    block = re.search(r"map \$request_method\$uri \$is_told \{(.*?)\n\}", CONFIGURATION, re.DOTALL)
    assert block
    untold = re.compile("|".join(re.findall(r"~(\S+) 0;", block[1])))
    silent = re.compile(r"location \^~ (\S+) \{\s+access_log off;\s+error_log /dev/null")
    without_log = tuple(silent.findall(CONFIGURATION))
    routes = list(routes_of(create_app(settings)))
    secret = tuple(
        route.path.partition("{")[0]
        for route in routes
        if "{" in route.path and route.doors & OPEN_DOORS
    )
    assert {"/s/", "/join/", "/shared/", "/sign-in/links/"} <= set(secret)
    for route in routes:
        asked = f"{route.method}{route.path}"
        lets_in = route.path.startswith(secret)
        is_untold = lets_in or bool(ANSWERS.fullmatch(asked))
        assert bool(untold.match(asked)) == is_untold, f"see $is_told in nginx.conf: {asked}"
        assert route.path.startswith(without_log) == lets_in, f"see nginx.conf's locations: {asked}"
