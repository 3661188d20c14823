"""A log line is one JSON object, in UTC, under names of our own."""

import json
import os
import re
import subprocess
import sys

LOGGING = """
import logging
from app.foundation.logs import configure_logging
configure_logging("INFO")
logging.getLogger("honne.jobs").info("job done", extra={"rows": 3})
"""


def test_a_line_says_when_how_grave_and_what() -> None:
    environment = os.environ | {"TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], env=environment, capture_output=True, text=True, check=True
    )
    line = json.loads(done.stderr)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("time"))
    assert line == {"level": "INFO", "name": "honne.jobs", "message": "job done", "rows": 3}
