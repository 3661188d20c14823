import pytest

from app.foundation.settings import Settings
from app.main import create_app
from tests.conftest import browser


async def test_routes_are_worked_out_before_the_first_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app), browser(app) as anyone:
        # What FastAPI works a route out with.
        monkeypatch.delattr("fastapi.routing.get_dependant")
        assert (await anyone.get("/api/v1/surveys")).status_code == 401
        assert (await anyone.get("/nowhere")).status_code == 404
