"""Which object keys are ours: segments of letters, digits and `._=-`, so that no key leads out of anywhere."""

import re

from connectors.objects.errors import BadKey

_SEGMENT = r"[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,199}"  # a folder takes no longer name
_KEY = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")
_LONGEST = 512


def checked(key: str) -> str:
    """`key` itself. Raises BadKey for anything but a plain relative path whose names do not begin with a dot."""
    if len(key) > _LONGEST or not _KEY.fullmatch(key):
        raise BadKey(f"not a key: {key[:80]!r}")
    return key
