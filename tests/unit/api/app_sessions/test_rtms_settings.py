"""What is asked of Zoom, as JSON may write it."""

from api.app_sessions.rtms_settings import asked_of_zoom


def test_a_whole_number_may_be_written_as_a_decimal_fraction():
    found = asked_of_zoom(
        {"audio": {"sample_rate_hz": 16000.0, "mixed": True}, "video": {"height": 720.0, "fps": 25.0}}
    )
    numbers = ("audio_sample_rate_hz", "video_height", "video_width", "video_fps")
    assert {name: type(value) for name, value in found.items()} == dict.fromkeys(numbers, int) | {"mixed_audio": bool}
