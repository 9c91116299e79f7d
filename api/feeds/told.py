"""Tells what is new from what is there twice. Pure.

A processor that takes over from a dead one writes again what it cannot know to be written: the same ids with the same
content. Readers are told once.
"""


class Told:
    """What a feed has told of each of its items."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}

    def is_news(self, item_id: str, revision: int, content: str) -> bool:
        """Whether to tell this of an item; a higher revision replaces a lower one, of one revision the later record."""
        told = (revision, hash(content))
        known = self._newest.get(item_id)
        if known is not None and (revision < known[0] or told == known):
            return False
        self._newest[item_id] = told
        return True

    def knows(self, item_id: str) -> bool:
        """Whether the item was told, and not withdrawn since."""
        return item_id in self._newest

    def withdraw(self, item_id: str) -> None:
        """The item is gone; should it come again, it is new."""
        self._newest.pop(item_id, None)
