from ingest.contact import Contact


def test_silence_is_counted_from_the_last_acknowledgement_while_something_waits():
    contact = Contact()
    assert contact.silent_s(0, 5, 100.0) == 0
    assert contact.silent_s(0, 5, 130.0) == 30
    assert contact.silent_s(1, 5, 140.0) == 0
    assert contact.silent_s(1, 9, 215.5) == 75.5


def test_who_has_nothing_on_the_way_misses_nobody():
    contact = Contact()
    assert contact.silent_s(7, 0, 100.0) == 0
    assert contact.silent_s(7, 0, 500.0) == 0
    assert contact.silent_s(7, 1, 500.5) == 0.5
    assert contact.silent_s(7, 0, 501.0) == 0
    assert contact.silent_s(7, 1, 510.0) == 9
