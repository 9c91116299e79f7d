"""Languages as speech services name them, as tags. Pure."""

import re

_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")

_NAMES = {
    "arabic": "ar", "bengali": "bn", "cantonese": "yue", "catalan": "ca", "chinese": "zh", "czech": "cs",
    "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi", "french": "fr", "german": "de",
    "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it",
    "japanese": "ja", "korean": "ko", "malay": "ms", "norwegian": "no", "persian": "fa", "polish": "pl",
    "portuguese": "pt", "romanian": "ro", "russian": "ru", "spanish": "es", "swahili": "sw", "swedish": "sv",
    "tagalog": "tl", "tamil": "ta", "telugu": "te", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur",
    "vietnamese": "vi",
}  # fmt: skip


def tag(name: str | None) -> str | None:
    """The tag of a language that is named in English or by its tag; None where it is neither."""
    if not name:
        return None
    known = _NAMES.get(name.lower())
    return known or (name if _TAG.fullmatch(name) and len(name) <= 35 else None)
