"""What customers ask for follows from the seed, and is what the API takes."""

import pytest

from api.app_sessions.external_storage import external_storage
from api.app_sessions.recording_settings import recording
from api.app_sessions.rtms_settings import asked_of_zoom
from api.app_sessions.transcription_settings import transcription
from schemas.settings import Engine, SessionSettings
from tests.soak.buckets import FORBIDDEN, TAKING
from tests.soak.orders import FEW, MORE, Order, orders


def settings_of(order: Order) -> SessionSettings:
    engines, language, options = transcription(order.transcription)
    named = recording(order.recording) | asked_of_zoom(order.rtms)
    if storage := order.body("stream").get("external_media_storage_settings"):
        named |= external_storage(storage)
    return SessionSettings(engines=engines, language=language, engine_options=options, **named)


def test_the_same_seed_asks_for_the_same_and_another_one_in_another_order() -> None:
    assert orders(3, 10) == orders(3, 10)
    assert len({str(orders(seed, 4)) for seed in range(20)}) > 4


@pytest.mark.parametrize("seed", range(5))
def test_four_meetings_ask_for_what_is_cheap_and_more_for_all(seed: int) -> None:
    assert all(order in orders(seed, 4) for order in FEW)
    assert all(order in orders(seed, 10) for order in (*FEW, *MORE))


@pytest.mark.parametrize("order", [*FEW, *MORE])
def test_the_api_takes_it(order: Order) -> None:
    settings = settings_of(order)
    assert order.engines == settings.transcripts
    assert bool(order.live) == settings.partials
    assert settings.keeps_voices or not order.afterwards
    assert all(transcription(section)[0] != (Engine.ZOOM,) for section in order.afterwards)


@pytest.mark.parametrize("few", [FEW, (*FEW, *MORE)])
def test_between_them_they_want_everything(few: tuple[Order, ...]) -> None:
    wanted = [settings_of(order) for order in few]
    assert any(one.keeps_voices and one.share_track for one in wanted)
    assert any(one.is_composed for one in wanted)
    assert any(one.partials for one in wanted)
    assert any(one.merges_captions for one in wanted)
    assert any(order.afterwards for order in few)
    assert any(order.is_corrected for order in few)
    assert {TAKING, FORBIDDEN} < {one.copy_bucket for one in wanted}
    assert {True, False} == {bool(one.copy_name) for one in wanted if one.copy_bucket == TAKING}
