"""What a soak plays: everything that a seed does not decide. As arguments, and as the command that plays it again."""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local.settings import REPOSITORY
from tests.soak.act import Act
from tests.soak.faults import Plan
from tests.soak.meetings import corrected, meetings
from tests.soak.orders import orders
from tests.soak.plan import BESIDE, FULL, MOVEMENTS, SHORT, Scale, draw, draw_seconds

SHORTER = 10
SHORTEST_S = 20
FOLDER = REPOSITORY / "run" / "soak"


@dataclass(frozen=True, slots=True)
class Options:
    """`lengths_s` has the meetings' lengths in seconds, `movements` the names of what is done, in order."""

    seed: int
    lengths_s: tuple[int, ...]
    scale: Scale = FULL
    movements: tuple[str, ...] = tuple(MOVEMENTS)
    folder: Path = FOLDER

    def undisturbed(self) -> Act:
        """What it is compared with must be what a calm pipeline does, so this comes first."""
        return self._act("undisturbed", ())

    def disturbed(self) -> Act:
        plan = draw(self.seed, self.scale, self.movements)
        return self._act("-".join(self.movements).replace(BESIDE, "-"), plan)

    def _act(self, name: str, plan: Plan) -> Act:
        count = len(self.lengths_s)
        wanted, together = orders(self.seed, count), meetings(self.seed, list(self.lengths_s))
        played = [
            corrected(meeting, self.seed) if order.is_corrected else meeting
            for order, meeting in zip(wanted, together, strict=True)
        ]
        return Act(name, played, wanted, draw_seconds(self.seed, plan, count), plan)

    @property
    def arguments(self) -> list[str]:
        """What `parsed` makes the same of (but for the folder)."""
        is_short, is_full = (self._counted_as(scale) == self.scale for scale in (SHORT, FULL))
        assert is_short or is_full
        given = ["--seed", str(self.seed), "--lengths", *map(str, self.lengths_s), *(["--short"] if is_short else [])]
        given += ["--kills", str(self.scale.kills), "--broker-away", *(f"{s:g}" for s in self.scale.broker_away_s)]
        return [*given, "--only", *self.movements]

    def _counted_as(self, scale: Scale) -> Scale:
        return replace(scale, kills=self.scale.kills, broker_away_s=self.scale.broker_away_s)

    @property
    def command(self) -> str:
        """What a person types to play it again."""
        return f'make soak ARGS="{" ".join(self.arguments)}"'


def parsed(arguments: Sequence[str] | None = None) -> Options:
    """The options in command-line arguments; ends the process when they make no sense."""
    given = _parser().parse_args(arguments)
    scale = SHORT if given.short else FULL
    if given.kills is not None:
        scale = replace(scale, kills=given.kills)
    if given.broker_away is not None:
        scale = replace(scale, broker_away_s=tuple(given.broker_away))
    lengths_s = tuple(given.lengths or _lengths_s(given.meetings, given.minutes))
    return Options(given.seed, lengths_s, scale, tuple(given.only), given.folder)


def _lengths_s(count: int, minutes: float) -> list[int]:
    longest_s = max(SHORTEST_S, round(minutes * 60))
    return [longest_s] + [max(SHORTEST_S, longest_s // SHORTER)] * (count - 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make soak",
        description="Meetings at once, everything done to the pipeline that may happen to it, every result compared.",
        epilog="The seed decides the meetings and what is done when; the same arguments play the same again.",
    )
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1, 10_000), metavar="N", help="default: another each time"
    )
    parser.add_argument("--meetings", type=_some, default=10, metavar="N", help="at once (default: %(default)s)")
    parser.add_argument(
        "--minutes", type=float, default=60.0, metavar="M",
        help=f"of the longest meeting; the others last a {SHORTER}th (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument("--lengths", type=_some, nargs="+", metavar="S", help="of each meeting, instead of both")
    parser.add_argument(
        "--kills", type=_some, metavar="N", help=f"of each process (default: {FULL.kills}, short: {SHORT.kills})"
    )
    parser.add_argument("--broker-away", type=float, nargs="+", metavar="S", help="how long, each time")
    parser.add_argument("--short", action="store_true", help="counts, outages and freezes as in `make test`")
    parser.add_argument(
        "--only", nargs="+", type=_movement, default=list(MOVEMENTS), metavar="FAULT",
        help=f"in this order: {', '.join(MOVEMENTS)}; side by side: one{BESIDE}another",
    )  # fmt: skip
    parser.add_argument(
        "--folder",
        type=Path,
        default=FOLDER,
        metavar="PATH",
        help=f"data and logs; emptied first (default: {FOLDER.relative_to(REPOSITORY)})",
    )
    return parser


def _some(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)


def _movement(name: str) -> str:
    if unknown := [part for part in name.split(BESIDE) if part not in MOVEMENTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(MOVEMENTS)}")
    return name
