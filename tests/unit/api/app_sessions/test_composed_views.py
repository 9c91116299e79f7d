"""Views that somebody has to draw: asked for where somebody does, refused in a sentence where nobody does."""

import json
from types import SimpleNamespace

import pytest

from api.app_sessions.recording_settings import recording, recording_where
from api.app_sessions.requests import session_order
from api.control_plane import templates
from api.errors import ApiError
from api.shapes import Invalid
from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.webhooks.targets import PUBLIC
from processors.muxing.recordings import Frame
from schemas.records import Template
from schemas.settings import COMPOSED, RecordingView, SessionSettings
from schemas.topics import SHARE

STREAM = {"meeting_uuid": "m==", "rtms_stream_id": "s", "server_urls": "wss://rtms.zoom.us", "operator_id": "o"}


@pytest.mark.parametrize("view", sorted(COMPOSED))
def test_where_somebody_draws_them_they_are_taken_else_it_is_said_what_to_do(view):
    body = {"zoom_rtms": STREAM, "recording_settings": {"view": view}}
    assert session_order(body, AddressPolicy()).wishes.settings.is_composed
    with pytest.raises(ApiError) as caught:
        session_order(body, AddressPolicy(), composed_views=False)
    text = caught.value.body["recording_settings"]["view"]
    assert text.startswith(f"{view} has to be drawn, and nobody does that here: ")
    assert "RTMS_API_COMPOSED_VIEWS=true" in text
    assert text.endswith("Without it: speaker_view, gallery_view, speaker_view_no_sidebar.")


@pytest.mark.parametrize("composed_views", [True, False])
def test_who_names_a_view_that_there_is_not_hears_of_those_that_can_be_had_here(composed_views):
    with pytest.raises(Invalid) as caught:
        recording_where(composed_views)({"view": "mosaic"})
    named = caught.value.detail["view"].removeprefix("'mosaic' is not one of ").removesuffix(".").split(", ")
    assert named == [view for view in RecordingView if composed_views or view not in COMPOSED]


@pytest.mark.parametrize("view", sorted(set(RecordingView) - COMPOSED))
def test_row_12_a_view_that_is_asked_for_is_never_ignored(view):
    """Nobody has to draw these: a screen is shown instead of the speaker, or not at all."""
    assert recording_where(composed_views=False)({"view": view}) == {"recording_view": view}
    frame = Frame.of(SessionSettings(recording_view=view))
    assert frame.shows_share is (view != RecordingView.GALLERY)
    assert frame.takes(SHARE.name) is frame.shows_share


@pytest.mark.parametrize("view", sorted(COMPOSED))
def test_what_is_to_be_drawn_is_recorded_apart(view):
    """The speaker as the recording, the screens as its film, whoever asked for that or not."""
    frame = Frame.of(SessionSettings(recording_view=view))
    assert (frame.shows_share, frame.share_track, frame.takes(SHARE.name)) == (False, True, True)


@pytest.mark.parametrize("view", sorted(COMPOSED))
@pytest.mark.parametrize("form", ["mp3", "none"])
def test_without_pictures_nothing_can_be_drawn(view, form):
    with pytest.raises(Invalid) as caught:
        recording({"view": view, "format": form})
    expected = {"view": f"{view} is a matter of pictures: choose the format mp4, or another view."}
    assert caught.value.detail == expected


def services(wishes, *, composed_views):
    template = Template(project_id="proj_1", wishes=json.dumps(wishes))
    return SimpleNamespace(
        settings=SimpleNamespace(composed_views=composed_views),
        directory=SimpleNamespace(template=lambda project_id: template),
        has_custom_async=False,
        targets=PUBLIC,
    )


@pytest.mark.parametrize("composed_views", [True, False])
def test_a_template_from_when_somebody_drew_them_still_makes_sessions(composed_views):
    wishes = {"recording_settings": {"view": "side_by_side_view"}, "metadata": {"a": "b"}}
    made = templates.wishes(services(wishes, composed_views=composed_views), "proj_1")
    assert made.settings.recording_view == ("side_by_side_view" if composed_views else "speaker_view")
    assert made.metadata == '{"a": "b"}'


async def test_a_template_is_refused_like_a_request():
    with pytest.raises(ApiError) as caught:
        await templates.put(
            services({}, composed_views=False), "proj_1", {"recording_settings": {"view": "side_by_side_view"}}
        )
    assert caught.value.status == 400
