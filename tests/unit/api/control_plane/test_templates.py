"""A template's receivers are judged as a request's are, and then its sessions have them."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.control_plane import templates
from api.errors import ApiError
from connectors.webhooks.targets import PUBLIC, TargetPolicy
from schemas.records import Template

LOCAL = TargetPolicy(allow_loopback=True)
ABOVE = "https://user:password@example.com/hook"


def told_at(url: str) -> dict[str, Any]:
    return {"webhooks": [{"url": url, "triggers": ["bot.state_change"]}]}


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[Template]:
    found: list[Template] = []

    async def written(_services: Any, _topic: Any, _key: str, record: Template) -> None:
        found.append(record)

    monkeypatch.setattr(templates, "written", written)
    return found


def services(targets: TargetPolicy, saved: list[Template]) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(composed_views=True), has_custom_async=True, targets=targets,
        directory=SimpleNamespace(template=lambda _project_id: saved[-1] if saved else None),
    )  # fmt: skip


@pytest.mark.parametrize(("url", "targets"), [("http://127.0.0.1:9/hook", LOCAL), ("https://example.com/hook", PUBLIC)])
async def test_what_a_request_may_name_a_template_may(saved: list[Template], url: str, targets: TargetPolicy) -> None:
    await templates.put(services(targets, saved), "p", told_at(url))
    assert json.loads(cast(str, templates.wishes(services(targets, saved), "p").webhooks))[0]["url"] == url


@pytest.mark.parametrize(("url", "targets"), [("http://127.0.0.1:9/hook", PUBLIC), (ABOVE, PUBLIC), (ABOVE, LOCAL)])
async def test_what_a_request_may_not_name_is_refused(saved: list[Template], url: str, targets: TargetPolicy) -> None:
    with pytest.raises(ApiError) as refused:
        await templates.put(services(targets, saved), "p", told_at(url))
    assert (refused.value.status, list(refused.value.body), saved) == (400, ["webhooks"], [])
