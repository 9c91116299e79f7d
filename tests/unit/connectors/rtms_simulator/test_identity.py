"""Names of streams: different for every stream, like Zoom's in form, and given ones are kept."""

from connectors.rtms.simulator.identity import Identity


def test_names_follow_from_their_origin() -> None:
    assert Identity.derive("a") == Identity.derive("a")
    names = [Identity.derive(str(number)) for number in range(50)]
    for field in ("meeting_uuid", "stream_id", "session_id", "meeting_number"):
        assert len({getattr(name, field) for name in names}) == 50
    assert all(len(name.stream_id) == 32 and int(name.stream_id, 16) >= 0 for name in names)
    assert all(len(name.meeting_uuid) == 24 and name.meeting_uuid.endswith("==") for name in names)


def test_given_names_are_kept() -> None:
    identity = Identity.derive("a", meeting_uuid="uuid/+==", stream_id="stream")
    assert (identity.meeting_uuid, identity.stream_id) == ("uuid/+==", "stream")
