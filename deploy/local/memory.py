"""How much memory processes take together, pages that several of them share counted once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_KIB = 1024


def proportional_bytes(pids: Iterable[int]) -> int:
    """PSS of these processes and all their descendants. What has ended meanwhile takes none."""
    return sum(_pss_bytes(pid) for pid in with_descendants(pids, dict(_parents())))


def with_descendants(pids: Iterable[int], parent_of: dict[int, int]) -> set[int]:
    """`pids` and whatever descends from them. Pure."""
    children: dict[int, list[int]] = defaultdict(list)
    for pid, parent in parent_of.items():
        children[parent].append(pid)
    found, waiting = set[int](), list(pids)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children[pid]
    return found


def pss_bytes(rollup: str) -> int:
    """From the text of a `smaps_rollup`. Pure."""
    lines = (line.split() for line in rollup.splitlines())
    return sum(int(words[1]) * _KIB for words in lines if words[0] == "Pss:")


def parent_in(stat: str) -> int:
    """From the text of a process's `stat`, whose second field may hold anything, also blanks and brackets. Pure."""
    return int(stat.rpartition(")")[2].split()[1])


def _pss_bytes(pid: int) -> int:
    try:
        return pss_bytes((_PROC / str(pid) / "smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _parents() -> Iterator[tuple[int, int]]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), parent_in((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue
