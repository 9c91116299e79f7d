"""Keeps child processes up: starts them side by side, starts crashed ones again, ends them in reverse order.

All but the `vital` ones are started again for ever: while those run, the others may find tomorrow what they lack today.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence

from deploy.local.report import Event, Report
from deploy.local.restarts import Restarts
from deploy.local.unit import Unit, UnitFailed

_LOOK_S = 0.2
_GRACE_S = 20.0


class Supervisor:
    """Knows every process by its layer; a higher layer stands on the lower ones and is ended before them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._layers: dict[int, list[Unit]] = {}
        self._restarts: dict[str, Restarts] = {}
        self._recovering: dict[str, float] = {}
        self._vital: set[str] = set()
        self._failure: UnitFailed | None = None
        self._failed = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def launch(self, unit: Unit, layer: int, *, vital: bool = False) -> None:
        """Start a process without waiting; from now on it is known, and ended with the others. Without a `vital` one
        the others have nothing to do: when it cannot be kept up, `check` says so."""
        with self._lock:
            if self._stopping.is_set():
                raise UnitFailed(f"{unit.name} is not started: everything is being stopped")
            unit.launch()
            self._layers.setdefault(layer, []).append(unit)
            self._restarts[unit.name] = Restarts(time.monotonic())
            if vital:
                self._vital.add(unit.name)
        self._report.tell(Event.STARTING, unit.name)

    def await_ready(self, unit: Unit, timeout_s: float) -> None:
        """Return when a launched process is ready; raises UnitFailed."""
        try:
            unit.wait_ready(timeout_s)
        except UnitFailed as failure:
            if not self._stopping.is_set():
                self._report.tell(Event.FAILED, unit.name, str(failure))
            raise
        took_s = time.monotonic() - self._restarts[unit.name].launched_at
        self._report.tell(Event.READY, unit.name, f"{took_s:.1f} s")

    def unit(self, name: str) -> Unit:
        """A process by its name."""
        return next(unit for unit in self.units() if unit.name == name)

    def units(self) -> list[Unit]:
        """Everything launched so far, lowest layer first."""
        with self._lock:
            return list(itertools.chain.from_iterable(self._layers[layer] for layer in sorted(self._layers)))

    def tend(self) -> None:
        """From now on, start again whatever ends by itself."""
        self._thread = threading.Thread(target=self._tend, name="supervisor", daemon=True)
        self._thread.start()

    def check(self, wait_s: float | None = 0.0) -> None:
        """Return after this time (None: never) while the vital processes can be kept up; raises UnitFailed."""
        self._failed.wait(wait_s)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End everything, the highest layer first, each layer at once. What is not gone yet can still be killed."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            layers = [self._layers[layer] for layer in sorted(self._layers, reverse=True)]
        for layer in layers:
            self._stop_layer(layer)
        with self._lock:
            self._layers = {}

    def kill(self) -> None:
        """End everything now, without asking."""
        self._stopping.set()
        for unit in reversed(self.units()):
            unit.kill()

    def _stop_layer(self, units: Sequence[Unit]) -> None:
        running = [unit for unit in units if unit.exit_code() is None]
        for unit in running:
            self._report.tell(Event.STOPPING, unit.name)
            unit.ask_to_stop()
        deadline = time.monotonic() + _GRACE_S
        for unit in running:
            unit.stop(max(0.0, deadline - time.monotonic()))
            self._report.tell(Event.STOPPED, unit.name)

    def _tend(self) -> None:
        while not self._stopping.wait(_LOOK_S) and not self._failed.is_set():
            for unit in self.units():
                self._look_after(unit, time.monotonic())

    def _look_after(self, unit: Unit, now: float) -> None:
        known = self._restarts[unit.name]
        if unit.exit_code() is None:
            self._welcome_back(unit, now)
        elif known.due_at is None:
            why = f"exit code {unit.exit_code()}"
            unit.kill()  # what it had started would work beside its successor's
            self._give_up_for_now(unit, why, now)
        elif known.is_due(now):
            self._start_again(unit, now)

    def _start_again(self, unit: Unit, now: float) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            try:
                unit.launch()
            except (UnitFailed, OSError) as failure:
                self._give_up_for_now(unit, str(failure), now)
                return
        self._restarts[unit.name] = self._restarts[unit.name].launched(now)
        self._recovering[unit.name] = now
        self._report.tell(Event.STARTING, unit.name, "again")

    def _give_up_for_now(self, unit: Unit, why: str, now: float) -> None:
        known = self._restarts[unit.name] = self._restarts[unit.name].crashed(now)
        self._recovering.pop(unit.name, None)
        assert known.due_at is not None
        if unit.name in self._vital and known.is_hopeless:
            self._give_up(unit, known.crashes)
        else:
            self._report.tell(Event.CRASHED, unit.name, f"{why}, again in {known.due_at - now:.1f} s: see {unit.log}")

    def _give_up(self, unit: Unit, crashes: int) -> None:
        why = unit.explanation()
        ended = f"{unit.name} cannot be kept up, it ended {crashes} times in a row"
        self._failure = UnitFailed(f"{ended}: {why}" if why else ended, unit.log)
        self._report.tell(Event.FAILED, unit.name, f"{crashes} times in a row")
        self._failed.set()

    def _welcome_back(self, unit: Unit, now: float) -> None:
        since = self._recovering.get(unit.name)
        if since is not None and unit.is_ready():
            del self._recovering[unit.name]
            self._report.tell(Event.READY, unit.name, f"{now - since:.1f} s")
