"""Speech is put together as its language is written."""

import pytest

from schemas.spacing import joined


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ((), ""),
        (("",), ""),
        (("one",), "one"),
        (("Shall we", "", "begin?"), "Shall we begin?"),
        (("これは", "テストです。", "はい"), "これはテストです。はい"),
        (("我们", "开始吧！"), "我们开始吧！"),
        (("ｶﾀｶﾅ", "です"), "ｶﾀｶﾅです"),
        (("สวัสดี", "ครับ"), "สวัสดีครับ"),
        (("ສະບາຍ", "ດີ"), "ສະບາຍດີ"),
        (("មានអ្វី", "ទេ"), "មានអ្វីទេ"),
        (("안녕", "하세요"), "안녕 하세요"),
        (("नमस्ते", "दुनिया"), "नमस्ते दुनिया"),
        (("今日は", "Zoom", "で"), "今日は Zoom で"),
        (("𠮷野家", "へ"), "𠮷野家へ"),
    ],
)
def test_a_space_stands_where_the_language_has_one(pieces: tuple[str, ...], whole: str) -> None:
    assert joined(pieces) == whole
