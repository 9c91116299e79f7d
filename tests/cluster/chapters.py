"""What is done to the release in the cluster, in order; each chapter says what it saw, or raises AssertionError."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from tests.cluster import foreign, restricted
from tests.cluster.accounts import settled
from tests.cluster.cluster import READY_S, Cluster
from tests.cluster.image import image_name
from tests.cluster.kubectl import Object, wait_until
from tests.cluster.meetings import Held
from tests.cluster.onlooker import Onlooker
from tests.cluster.release import NAME, NAMESPACE

EARLIER, OURS = "earlier", "ours"
"""The releases, as tags of the image."""
SHORT_S, LONG_S = 20, 100
EARLY_S = 8
"""So old is a meeting when something is done to it."""
MOST = 4
"""Meetings at once."""


class Chapter(NamedTuple):
    """`on` is the release that is installed when it begins."""

    play: Callable[[Cluster], Awaitable[None]]
    on: str


async def upgrade(cluster: Cluster) -> None:
    """All workloads, from the earlier release to ours in the middle of a meeting, and back in the middle of another."""
    there = partial(cluster.release.upgrade, OURS)
    await _while_a_meeting_runs(cluster, "helm upgrade to our release", OURS, there, seed=2)
    back = partial(cluster.release.rollback, cluster.release.revision() - 1)
    await _while_a_meeting_runs(cluster, "helm rollback to the earlier release", EARLIER, back, seed=3)


async def _while_a_meeting_runs(
    cluster: Cluster, what: str, tag: str, change: Callable[[], None], *, seed: int
) -> None:
    held = await cluster.meetings.start(seconds=LONG_S, seed=seed)
    await cluster.meetings.heard(held, EARLY_S)
    with Onlooker(cluster.meetings.description_url) as onlooker, cluster.watch.step(what):
        await asyncio.to_thread(change)
    _still_runs(held)
    images = _images(cluster)
    assert set(images.values()) == {image_name(tag)}, images
    assert set(onlooker.answers) == {"200"}, f"the API was missed: {dict(onlooker.answers)}"
    cluster.watch.say(f"{onlooker.answers['200']} requests of the API answered meanwhile, all")
    await _settle(cluster, held, moves=1)


async def restriction(cluster: Cluster) -> None:
    """Every pod sees itself held: user, capabilities, system calls, read-only files, no token."""
    cluster.watch.say(f"{await asyncio.to_thread(restricted.check, cluster)} pods are restricted, seen from inside")


async def others(cluster: Cluster) -> None:
    """The resources that are other operators', by their own definitions."""
    count = await asyncio.to_thread(foreign.check, cluster.kubectl)
    cluster.watch.say(f"{count} resources of other operators would be taken, and one that contradicts itself would not")


async def undisturbed(cluster: Cluster) -> None:
    """A meeting, everything of it in the log and in its results."""
    held = await cluster.meetings.start(seconds=SHORT_S, seed=1)
    await _settle(cluster, held, moves=0)


async def check(cluster: Cluster) -> None:
    """`helm test`."""
    cluster.watch.say((await asyncio.to_thread(cluster.release.test)).strip().splitlines()[-1])


async def drain(cluster: Cluster) -> None:
    """The worker that holds a meeting is evicted; another eviction beside it is refused meanwhile."""
    held = await cluster.meetings.start(seconds=45, seed=4)
    worker = await _holder(cluster, held)
    assert worker in cluster.ready("ingest"), f"{worker} is none of {cluster.ready('ingest')}"
    (other,) = cluster.ready("ingest") - {worker}
    with cluster.watch.step(f"evicting {worker}"):
        assert await asyncio.to_thread(cluster.evict, worker), "its eviction was refused"
        assert not await asyncio.to_thread(cluster.evict, other), "both workers could be evicted at once"
        await asyncio.to_thread(cluster.await_ready, "ingest", 2)
    _still_runs(held)
    await _settle(cluster, held, moves=1)


async def scale(cluster: Cluster) -> None:
    """Workers come and go under meetings, of which one at least is not with the worker that always stays."""
    meetings = [await cluster.meetings.start(seconds=LONG_S, seed=5)]
    while await _holder(cluster, meetings[-1]) == f"{NAME}-ingest-0" and len(meetings) < MOST:
        meetings.append(await cluster.meetings.start(seconds=LONG_S, seed=5))
    for count in (3, 1, 2):
        with cluster.watch.step(f"helm upgrade to {count} workers"):
            await asyncio.to_thread(cluster.release.upgrade, OURS, {"workloads": {"ingest": {"replicas": count}}})
            await asyncio.to_thread(cluster.await_ready, "ingest", count)
    _still_runs(meetings[0])
    accounts = [await settled(cluster.meetings, held) for held in meetings]
    for account in accounts:
        cluster.watch.say(str(account))
    assert any(account.unheard_ms for account in accounts), "none was handed over"


async def _holder(cluster: Cluster, held: Held) -> str | None:
    """Who has the meeting, once it is some seconds old."""
    await cluster.meetings.heard(held, EARLY_S)
    return (await cluster.meetings.state(held.session)).worker


async def uninstall(cluster: Cluster) -> None:
    """Nothing of the release is left."""
    await asyncio.to_thread(cluster.release.uninstall)
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
    told = ",".join(kind for kind in kinds if not kind.startswith(("events", "endpoints")))

    def left() -> list[str]:
        return [_shown(thing) for thing in cluster.kubectl.get(told) if _is_ours(thing)]

    # helm waits for what it made itself, not for the pods of that, which have their grace.
    await asyncio.to_thread(wait_until, lambda: not left(), READY_S, lambda: f"left behind: {left()}")
    cluster.watch.say(f"nothing of it is left in {NAMESPACE}, of {len(kinds)} kinds")


CHAPTERS = {
    "upgrade": Chapter(upgrade, EARLIER),
    "restricted": Chapter(restriction, OURS),
    "others": Chapter(others, OURS),
    "meeting": Chapter(undisturbed, OURS),
    "test": Chapter(check, OURS),
    "drain": Chapter(drain, OURS),
    "scale": Chapter(scale, OURS),
    "uninstall": Chapter(uninstall, OURS),
}
"""In this order."""


async def _settle(cluster: Cluster, held: Held, moves: int) -> None:
    """The meeting is over and all is as promised; `moves`: how often at least it was handed over, 0: never."""
    account = await settled(cluster.meetings, held)
    cluster.watch.say(str(account))
    assert (len(account.unheard_ms) >= moves) if moves else not account.unheard_ms, f"not moved as expected: {account}"


def _still_runs(held: Held) -> None:
    """What was done took less time than the meeting, or it would prove nothing."""
    last_ms = max(sent.timestamp_ms for sent in held.stream.truth.sent)
    assert last_ms < held.stream.meeting.end_ms - 1000, "the meeting was over before: this machine is too slow for it"


def _images(cluster: Cluster) -> dict[str, str]:
    """By pod, of those that are not on their way out."""
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"]
        for pod in cluster.kubectl.pods()
        if "deletionTimestamp" not in pod["metadata"]
    }


def _is_ours(thing: Object) -> bool:
    labels: dict[str, str] = thing["metadata"].get("labels", {})
    return labels.get("app.kubernetes.io/name") == NAME or str(thing["metadata"]["name"]).startswith(NAME)


def _shown(thing: Object) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"
