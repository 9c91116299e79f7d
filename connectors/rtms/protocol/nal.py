"""Whether a picture can be decoded by itself, told from as few bytes as possible."""

_START_CODE = b"\x00\x00\x01"
_IDR = 5
_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG"


def is_key_frame(payload: bytes) -> bool:
    """True for an H.264 access unit (Annex B) whose first coded slice is an IDR slice, and for every JPG and PNG.

    Looks no further than the first coded slice: parameter sets and SEI before it are skipped by searching for start
    codes, so the cost does not grow with the picture.
    """
    found = payload.find(_START_CODE)
    while 0 <= found < len(payload) - 3:
        kind = payload[found + 3] & 0x1F
        if 1 <= kind <= _IDR:
            return kind == _IDR
        found = payload.find(_START_CODE, found + 3)
    return payload.startswith((_JPEG, _PNG))
