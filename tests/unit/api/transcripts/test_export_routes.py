"""Files whose end cannot be read."""

import asyncio
from types import SimpleNamespace

from api.errors import unavailable
from api.transcripts import exports
from api.transcripts.export_routes import StreamedFile, _parts
from schemas.settings import Engine
from tests.unit.api.transcripts.conftest import SAID, session


def sent(pages):
    """What the server is told to send of a transcript whose further pages are these; None: the store is away."""

    async def select(sql, parameters):
        page = pages.pop(0)
        if page is None:
            raise unavailable("The answer cannot be read now.")
        return page

    async def send(message):
        messages.append(message)

    messages, form = [], exports.FORMATS["txt"]
    export = exports.export_of(session(), Engine.ZOOM, [SAID])
    first = [SAID] * exports.READ
    parts = _parts(SimpleNamespace(select=select), {}, form, export, first)
    asyncio.run(StreamedFile(parts).stream_response(send))
    return messages


def test_a_whole_file_has_an_end():
    """However many utterances each read brings: long ones come in smaller numbers."""
    head, *bodies = sent([[SAID] * exports.READ, [SAID], []])
    assert head["status"] == 200
    assert [body["more_body"] for body in bodies] == [True] * (len(bodies) - 1) + [False]
    assert b"".join(body["body"] for body in bodies).count(b"Ada: hello") == 2 * exports.READ + 1


def test_a_file_whose_rest_cannot_be_read_has_none():
    _, *bodies = sent([[SAID] * exports.READ, None])
    assert b"".join(body["body"] for body in bodies).count(b"Ada: hello") == 2 * exports.READ
    assert all(body["more_body"] for body in bodies), "the server closes the connection without an end"
