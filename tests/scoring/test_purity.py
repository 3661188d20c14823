import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import app.scoring

PACKAGE = Path(app.scoring.__file__).parent


def imported_modules(source: str) -> Iterator[str]:
    """Every module named in an import statement, at any depth."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_scoring_imports_the_standard_library_and_itself_only() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) >= 8
    foreign = {
        f"{file.name}: {module}"
        for file in files
        for module in imported_modules(file.read_text(encoding="utf-8"))
        if module.split(".")[0] not in sys.stdlib_module_names
        and not module.startswith("app.scoring")
    }
    assert not foreign, "a figure must not depend on a database or a web framework"


def test_everything_offered_exists_and_is_listed_once() -> None:
    names = app.scoring.__all__
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(app.scoring, name)] == []
