"""What the demo shows while a meeting runs: who says what, and between the lines what happens to the session."""

import threading
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from schemas.records import ParticipantEvent, Record, SessionChange, Utterance, UtteranceStatus

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
NAME_WIDTH = 18


class Screen:
    """Thread-safe: outputs come from the watcher's thread, notes from the main one."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._colours: dict[int, str] = {}
        self._lock = threading.Lock()

    def note(self, message: str) -> None:
        """A line of the demo itself."""
        with self._lock:
            self.console.print(Text(f"  {message}", style="dim"))

    def heading(self, message: str) -> None:
        with self._lock:
            self.console.print()
            self.console.print(Text(message, style="bold"))

    def show(self, value: Record, now_us: int) -> None:
        """An utterance, a participant's coming or going, or a change of the session."""
        with self._lock:
            if isinstance(value, Utterance):
                self._utterance(value, now_us)
            elif isinstance(value, ParticipantEvent):
                self._event(value)
            elif isinstance(value, SessionChange):
                self._change(value)

    def _utterance(self, value: Utterance, now_us: int) -> None:
        colour = self._colour(value.participant_id)
        line = _stamp(value.start_ms)
        line.append(f"{(value.participant_name or '?')[:NAME_WIDTH]:{NAME_WIDTH}} ", style=f"bold {colour}")
        if value.status is UtteranceStatus.FAILED:
            line.append(f"[not transcribed: {value.reason}]", style="red")
        else:
            line.append(value.text, style=colour if value.engine != "zoom" else "default")
        late_s = now_us / 1_000_000 - value.end_ms / 1000
        line.append(f"  {value.engine} +{late_s:.1f} s", style="dim")
        self.console.print(line)

    def _event(self, value: ParticipantEvent) -> None:
        line = _stamp(value.timestamp_ms)
        verb = {"join": "joined", "leave": "left"}.get(value.event, value.event)
        line.append(f"{value.participant_name or value.participant_id} {verb}", style="italic dim")
        self.console.print(line)

    def _change(self, value: SessionChange) -> None:
        line = _stamp(value.change.created_at_ms)
        line.append(f"session {value.change.new_state}", style="bold reverse")
        if value.change.sub_type:
            line.append(f" {value.change.sub_type} {value.change.metadata}", style="red")
        self.console.print(line)

    def _colour(self, participant_id: int) -> str:
        return self._colours.setdefault(participant_id, COLOURS[len(self._colours) % len(COLOURS)])


def _stamp(at_ms: int) -> Text:
    return Text(datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S "), style="dim")
