"""Who is in a simulated meeting: names from many places, ids like Zoom's, a colour for each picture.

The seed picks the cast, so several meetings at once do not all have the same people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_FIRST_USER_ID = 0x01000400
"""Zoom's ids look like this one: a small number in the top byte, a small offset below."""

_ID_STEP = 0x400
_BEACON_NAME = "Sync Beacon"

_COLOURS = ((38, 84, 124), (140, 61, 47), (45, 106, 79), (108, 63, 122))
_BEACON_COLOUR = (90, 90, 90)

_NAMES = (
    "Ada Okafor", "Björn Lindqvist", "Chiara Rossi", "Divya Raman",
    "Émile Fournier", "Fatima Zahra Idrissi", "Grzegorz Wójcik", "Hana Nováková",
    "Iker Etxeberria", "Jun Watanabe", "Kalinda Mbeki", "Łucja Kowalska",
    "Mateus Gonçalves", "Nour Haddad", "Oisín Ó Briain", "Phượng Nguyễn",
)  # fmt: skip


class Role(StrEnum):
    """What somebody does in a written script; everybody whom a scenario file names is a guest."""

    HOST = "host"
    LATECOMER = "latecomer"
    READER = "reader"
    LISTENER = "listener"
    BEACON = "beacon"
    GUEST = "guest"


_WRITTEN = (Role.HOST, Role.LATECOMER, Role.READER, Role.LISTENER, Role.BEACON)


def user_id(seed: int, index: int) -> int:
    """The id of the person at that place of a cast."""
    return _FIRST_USER_ID + (seed * 16) % _ID_STEP + index * _ID_STEP


@dataclass(frozen=True, slots=True)
class Person:
    """One participant. The beacon is a device: it has no camera and sends nothing but beeps."""

    user_id: int
    name: str
    role: Role
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody in a meeting; in a written one, one person a role."""

    people: tuple[Person, ...]

    @classmethod
    def choose(cls, seed: int) -> "Cast":
        """Four people and the beacon; the same ones for the same seed."""
        first = (seed - 1) * 4 % len(_NAMES)
        names = [*(_NAMES[(first + index) % len(_NAMES)] for index in range(4)), _BEACON_NAME]
        roles = zip(_WRITTEN, names, [*_COLOURS, _BEACON_COLOUR], strict=True)
        return cls(tuple(Person(user_id(seed, i), name, role, c) for i, (role, name, c) in enumerate(roles)))

    @classmethod
    def invite(cls, guests: Sequence[tuple[str, int | None]], seed: int, *, beacon: bool) -> "Cast":
        """Guests by name and, if it matters, id; and the beacon if it is wanted."""
        people = [
            Person(given or user_id(seed, i), name, Role.GUEST, _COLOURS[i % len(_COLOURS)])
            for i, (name, given) in enumerate(guests)
        ]
        if beacon:
            people.append(Person(user_id(seed, len(guests)), _BEACON_NAME, Role.BEACON, _BEACON_COLOUR))
        return cls(tuple(people))

    @property
    def beacon(self) -> Person | None:
        """The device that beeps, if there is one."""
        return next((person for person in self.people if person.role is Role.BEACON), None)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people)

    def having(self, role: Role) -> Person:
        """The person with that role."""
        return next(person for person in self.people if person.role is role)

    def named(self, user_id: int) -> Person:
        """The person with that id."""
        return next(person for person in self.people if person.user_id == user_id)
