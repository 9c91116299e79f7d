"""Pages of a list: opaque cursors, links, and which of the rows that were read belong on the page. Pure.

Lists are ascending by a key (a time and an id) that never changes for an item, so paging neither skips nor repeats
what existed when it began. A cursor is a key and a direction; who asks backwards reads descending from the key.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from api.errors import ApiError

PAGE_SIZE = 25

_Item = TypeVar("_Item")
_MAX_CURSOR_CHARACTERS = 1000
_INT64 = range(-(2**63), 2**63)


class Key(NamedTuple):
    """Where an item stands in its list."""

    time_ms: int
    item_id: str


FIRST = Key(_INT64[0], "")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Go on from `key`, towards later items or `backwards`; the item at the key is not on the page."""

    key: Key = FIRST
    backwards: bool = False

    def passes(self, key: Key) -> bool:
        """Whether an item comes after the cursor, in its direction."""
        return key < self.key if self.backwards else key > self.key


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """One page, ascending; a cursor is None where the list ends."""

    items: list[_Item]
    following: Cursor | None
    preceding: Cursor | None


def page_of(read: Sequence[_Item], cursor: Cursor, key_of: Callable[[_Item], Key]) -> Page[_Item]:
    """The page in `read`: the items after `cursor` in its direction, one more than a page if there are that many."""
    items = list(read[:PAGE_SIZE])
    has_more = len(read) > PAGE_SIZE
    if cursor.backwards:
        items.reverse()
    has_following = has_more if not cursor.backwards else True
    has_preceding = cursor.key != FIRST if not cursor.backwards else has_more
    return Page(
        items,
        Cursor(key_of(items[-1])) if items and has_following else None,
        Cursor(key_of(items[0]), backwards=True) if items and has_preceding else None,
    )


def encoded(cursor: Cursor) -> str:
    """What stands in the `cursor` parameter."""
    text = json.dumps([cursor.key.time_ms, cursor.key.item_id, cursor.backwards])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decoded(text: str | None) -> Cursor:
    """The cursor in a request.

    Raises:
        ApiError: 404, as it is none that we gave out.
    """
    if not text:
        return Cursor()
    try:
        if len(text) > _MAX_CURSOR_CHARACTERS:
            raise ValueError
        time_ms, item_id, backwards = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if type(time_ms) is not int or time_ms not in _INT64 or type(item_id) is not str or type(backwards) is not bool:
            raise ValueError
        item_id.encode()
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise ApiError(404, {"detail": "Invalid cursor"}) from None
    return Cursor(Key(time_ms, item_id), backwards)


def link(url: str, query: Iterable[tuple[str, str]], cursor: Cursor | None) -> str | None:
    """The absolute address of the page at `cursor`: the request's own, with another cursor."""
    if cursor is None:
        return None
    kept = [(name, value) for name, value in query if name != "cursor"]
    return f"{url}?{urlencode([*kept, ('cursor', encoded(cursor))])}"


def links(request: Request, base_url: str, page: Page[_Item]) -> tuple[str | None, str | None]:
    """The absolute addresses of the pages after and before the one that `request` asked for."""
    url, query = base_url + request.url.path, request.query_params.multi_items()
    return link(url, query, page.following), link(url, query, page.preceding)
