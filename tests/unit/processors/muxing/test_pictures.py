"""What is shown, decided on access units that are small enough to be written down here."""

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.muxing.black import black_picture
from processors.muxing.chains import Chain, SentPicture
from processors.muxing.h264 import Size, access_unit, length_prefixed
from processors.muxing.pictures import Shown, ShownPicture, Stretch, show
from tests.support.media import START_MS, Shot, encoded

T = START_MS
SIZE = Size(320, 180)
FALLBACK = Size(1280, 720)
BLACKS = {length_prefixed(black_picture(size, parity).nals) for size in (SIZE, FALLBACK) for parity in (0, 1)}


def sent(*shots: Shot, epoch: int = 1) -> list[SentPicture]:
    units = [(shot, unit) for shot in shots for unit in encoded(shot)]
    return [
        SentPicture(epoch, number, shot.participant_id, at_ms, data)
        for number, (shot, (at_ms, _, data)) in enumerate(units, 1)
    ]


def shown(pictures: list[SentPicture], end_ms: int = 4000, chain: Chain | None = None) -> Shown:
    return show(chain or Chain(), pictures, Stretch(T, T + end_ms, chain is None), FALLBACK)


def times(pictures: tuple[ShownPicture, ...], *, black: bool) -> list[int]:
    return [picture.time_ms - T for picture in pictures if (picture.data in BLACKS) == black]


def test_pictures_keep_their_times() -> None:
    result = shown(sent(Shot(T, T + 2000)), 2000)
    assert times(result.pictures, black=False) == list(range(0, 2000, 40))
    assert not times(result.pictures, black=True)
    assert [p.is_key for p in result.pictures].count(True) == 1


def test_the_recording_begins_with_its_first_picture() -> None:
    result = shown(sent(Shot(T + 600, T + 2000)), 2000)
    assert times(result.pictures, black=False)[:2] == [0, 640]
    assert not times(result.pictures, black=True)


def test_it_is_black_until_the_first_picture_comes() -> None:
    result = shown(sent(Shot(T + 3000, T + 4000)))
    assert times(result.pictures, black=True) == [0, 2000]
    assert times(result.pictures, black=False)[0] == 3000
    assert result.pictures[0].data in {length_prefixed(black_picture(SIZE, p).nals) for p in (0, 1)}


def test_a_recording_without_pictures_is_black() -> None:
    result = shown([], 6000)
    assert times(result.pictures, black=True) == [0, 2000, 4000]
    assert all(picture.is_key for picture in result.pictures)
    assert result.parameters == ()


def test_a_gap_is_black_right_after_the_last_picture() -> None:
    result = shown(sent(Shot(T, T + 1000), Shot(T + 5000, T + 6000)), 6000)
    assert times(result.pictures, black=True) == [1000, 2000, 4000]


def test_a_short_gap_holds_the_last_picture() -> None:
    result = shown(sent(Shot(T, T + 1000), Shot(T + 1660, T + 2400)), 2000)
    assert times(result.pictures, black=True) == []


def test_after_a_gap_nothing_is_shown_up_to_a_key_frame() -> None:
    result = shown(sent(Shot(T, T + 1000), Shot(T + 2000, T + 4000, key_every=25, skip=10)))
    assert times(result.pictures, black=False)[25] == 3000
    assert result.chain.dropped == 15
    assert times(result.pictures, black=True) == [1000, 2000]


def test_another_speaker_is_shown_from_a_key_frame_on() -> None:
    result = shown(sent(Shot(T, T + 1000), Shot(T + 1000, T + 3000, 2, key_every=10, skip=3)), 3000)
    assert 1000 not in times(result.pictures, black=False)
    assert times(result.pictures, black=False)[25] == 1400
    assert result.chain.speaker == 2


def test_a_switch_that_begins_with_a_key_frame_loses_nothing() -> None:
    result = shown(sent(Shot(T, T + 1000), Shot(T + 1000, T + 2000, 2)), 2000)
    assert times(result.pictures, black=False) == list(range(0, 2000, 40))
    assert result.chain.dropped == 0


def test_a_new_connection_starts_from_a_key_frame() -> None:
    first = sent(Shot(T, T + 1000))
    second = sent(Shot(T + 1000, T + 2000, key_every=10, skip=5), epoch=2)
    result = shown([*second, *first], 2000)
    assert result.chain.dropped == 5
    assert times(result.pictures, black=False)[25] == 1400


def test_a_key_frame_without_parameter_sets_gets_those_in_force() -> None:
    (_, _, key), *_ = encoded(Shot(T, T + 1000))
    bare = b"".join(b"\0\0\0\1" + nal for nal in access_unit(key).nals if nal not in access_unit(key).parameters)
    sets = b"".join(b"\0\0\0\1" + nal for nal in access_unit(key).parameters)
    result = shown([SentPicture(1, 1, 1, T, sets), SentPicture(1, 2, 1, T + 10, bare)], 100)
    assert result.pictures[0].data.startswith(length_prefixed(access_unit(key).parameters))


def test_a_key_frame_that_nobody_can_decode_is_not_shown() -> None:
    (_, _, key), *_ = encoded(Shot(T, T + 1000))
    bare = b"".join(b"\0\0\0\1" + nal for nal in access_unit(key).nals if nal not in access_unit(key).parameters)
    assert times(shown([SentPicture(1, 1, 1, T, bare)]).pictures, black=False) == []


def test_rubbish_between_pictures_is_passed_over() -> None:
    pictures = sent(Shot(T, T + 1000))
    pictures[5] = pictures[5]._replace(data=b"not H.264 at all")
    result = shown(pictures, 1000)
    assert len(result.pictures) == 24


def test_equal_times_are_told_apart_by_a_millisecond() -> None:
    pictures = [picture._replace(time_ms=T + picture.time_ms // 200 * 200 - T) for picture in sent(Shot(T, T + 1000))]
    result = shown(pictures, 1000)
    decode_times = [picture.decode_ms for picture in result.pictures]
    assert all(later > earlier for earlier, later in zip(decode_times, decode_times[1:], strict=False))
    assert times(result.pictures, black=False)[:6] == [0, 1, 2, 3, 4, 200]


def test_bidirectional_pictures_are_decoded_before_they_are_shown() -> None:
    result = shown(sent(Shot(T, T + 2000, b_pictures=2)), 2000)
    assert result.chain.bidirectional > 0
    assert sorted(times(result.pictures, black=False)) == list(range(0, 2000, 40))
    decode_times = [picture.decode_ms for picture in result.pictures]
    assert decode_times == sorted(set(decode_times))
    assert all(picture.decode_ms <= picture.time_ms for picture in result.pictures)


CUTS = st.lists(st.integers(100, 8900), unique=True, max_size=6).map(sorted)


@settings(max_examples=50)
@given(CUTS, st.integers(0, 2))
def test_where_a_recording_is_cut_does_not_show(cuts: list[int], b_pictures: int) -> None:
    """Cut anywhere, seeing only a little beyond each cut: the same pictures at the same times."""
    shots = (
        Shot(T + 300, T + 2500, 1, key_every=20, b_pictures=b_pictures),
        Shot(T + 2500, T + 4000, 2, key_every=20, skip=7, b_pictures=b_pictures),
        Shot(T + 6200, T + 7000, 1, width=200, height=100, b_pictures=b_pictures),
        Shot(T + 7500, T + 8300, 1, key_every=10, skip=2, b_pictures=b_pictures),
    )
    pictures = sent(*shots)
    whole = show(Chain(), pictures, Stretch(T, T + 9000, True), FALLBACK).pictures
    chain, pieces, start = Chain(), [], 0
    for end in [*cuts, 9000]:
        seen = [picture for picture in pictures if picture.time_ms < T + end + 750]
        result = show(chain, seen, Stretch(T + start, T + end, start == 0), FALLBACK)
        pieces += result.pictures
        chain, start = Chain.from_json(result.chain.to_json()), end
    # What was shown before the first picture depends on where the recording's first stretch ends.
    assert [p.data for p in pieces if p.data not in BLACKS] == [p.data for p in whole if p.data not in BLACKS]
    assert [p.decode_ms for p in pieces] == sorted({p.decode_ms for p in pieces})
    later = [[p.time_ms for p in some if p.time_ms > T + 2000] for some in (pieces, whole)]
    if not b_pictures and (not cuts or cuts[0] > 300):
        assert later[0] == later[1]
