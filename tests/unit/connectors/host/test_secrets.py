"""Keys can be rotated, and neither key nor value is in an error."""

import pytest

from connectors.host.configuration import read
from connectors.host.secrets import KeyRing, SecretsError
from connectors.host.settings import SecretsSettings


def test_a_value_comes_back() -> None:
    ring = KeyRing([KeyRing.generate()])
    locked = ring.encrypt("client secret äöü")
    assert "secret" not in locked
    assert ring.decrypt(locked) == "client secret äöü"


def test_rotation_reads_old_values_and_writes_with_the_first_key() -> None:
    old, new = KeyRing.generate(), KeyRing.generate()
    locked = KeyRing([old]).encrypt("value")
    both = KeyRing([new, old])
    assert both.decrypt(locked) == "value"
    assert KeyRing([new]).decrypt(both.encrypt("value")) == "value"


def test_a_foreign_value_is_refused_without_showing_it() -> None:
    locked = KeyRing([KeyRing.generate()]).encrypt("value")
    with pytest.raises(SecretsError) as error:
        KeyRing([KeyRing.generate()]).decrypt(locked)
    assert locked not in str(error.value)
    with pytest.raises(SecretsError):
        KeyRing([KeyRing.generate()]).decrypt("ä not a token")


@pytest.mark.parametrize("keys", [[], ["short"], ["ä" * 44]])
def test_unusable_keys_are_refused_without_showing_them(keys: list[str]) -> None:
    with pytest.raises(SecretsError, match="Fernet key") as error:
        KeyRing(keys)
    assert not keys or keys[0] not in str(error.value)


def test_the_setting_is_a_list_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = KeyRing.generate(), KeyRing.generate()
    monkeypatch.setenv("RTMS_SECRETS_KEYS", f" {new} , {old},,")
    ring = read([SecretsSettings]).of(SecretsSettings).key_ring()
    assert ring.decrypt(KeyRing([old]).encrypt("value")) == "value"
    assert KeyRing([new]).decrypt(ring.encrypt("value")) == "value"


def test_what_one_process_signs_the_others_recognise_and_nobody_else_can() -> None:
    old, new = KeyRing.generate(), KeyRing.generate()
    signature = KeyRing([old]).signature("greeting", b"hello")
    assert KeyRing([new, old]).is_signed("greeting", b"hello", signature)
    assert not KeyRing([new]).is_signed("greeting", b"hello", signature)
    assert not KeyRing([old]).is_signed("parting", b"hello", signature)
    assert not KeyRing([old]).is_signed("greeting", b"hello ", signature)
    assert not KeyRing([old]).is_signed("greeting", b"hello", KeyRing([new]).signature("greeting", b"hello"))


@pytest.mark.parametrize("text", ["", "ä", "\udcff", "0" * 64, "0" * 100_000])
def test_any_text_may_be_no_signature(text: str) -> None:
    assert not KeyRing([KeyRing.generate()]).is_signed("greeting", b"hello", text)
