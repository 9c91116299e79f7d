"""What the demo shows while a meeting runs: who says what, and between the lines what happens to the session."""

import threading
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas import chat_messages
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED, JOIN, LEAVE
from schemas.records import ParticipantEvent, Record, SessionChange, Utterance, UtteranceStatus
from schemas.settings import Engine

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
NAME_WIDTH = 16
REMARK_WIDTH = 18

VERBS = {JOIN: "joined", LEAVE: "left", CHAT_MESSAGE_DELETED: "deleted a chat message"}


class Screen:
    """Thread-safe: outputs come from the watcher's thread, notes from the main one."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._colours: dict[int, str] = {}
        self._written: set[str] = set()
        self._lock = threading.Lock()

    def note(self, message: str) -> None:
        """A line of the demo itself."""
        with self._lock:
            self.console.print(Text(f"  {message}", style="dim"), soft_wrap=True)

    def heading(self, message: str) -> None:
        with self._lock:
            self.console.print()
            self.console.print(Text(message, style="bold"))

    def show(self, value: Record, now_us: int) -> None:
        """An utterance, what a participant did, or a change of the session."""
        with self._lock:
            if isinstance(value, Utterance):
                self._utterance(value, now_us)
            elif isinstance(value, ParticipantEvent):
                self._event(value)
            elif isinstance(value, SessionChange):
                self._change(value)

    def _utterance(self, value: Utterance, now_us: int) -> None:
        colour = self._colour(value.participant_id)
        said = Text(value.text, style=colour if value.engine != Engine.ZOOM else "default")
        if value.status is UtteranceStatus.FAILED:
            said = Text(f"[not transcribed: {value.reason}]", style="red")
        late_s = now_us / 1_000_000 - value.end_ms / 1000
        name = Text(value.participant_name or "?", style=f"bold {colour}")
        self._line(value.start_ms, name, said, f"{value.engine} +{late_s:.1f} s")

    def _event(self, value: ParticipantEvent) -> None:
        name = value.participant_name or str(value.participant_id)
        if value.event == CHAT_MESSAGE:
            self._chat_message(value, name)
            return
        verb = VERBS.get(value.event, value.event)
        self._line(value.timestamp_ms, Text(""), Text(f"{name} {verb}", style="italic dim"), "")

    def _chat_message(self, value: ParticipantEvent, name: str) -> None:
        """A message that was changed is told again, as of when it was written."""
        message = chat_messages.revised(value.event_id).message_id
        remark = "chat, changed" if message in self._written else "chat"
        self._written.add(message)
        speaker = Text(name, style=f"bold {self._colour(value.participant_id)}")
        text = Text(chat_messages.readable(value.details).text, style="italic")
        self._line(value.timestamp_ms, speaker, text, remark)

    def _change(self, value: SessionChange) -> None:
        text = Text(f"session {value.change.new_state}", style="bold")
        if value.change.sub_type:
            text.append(f" {value.change.sub_type} {value.change.metadata}", style="red")
        self._line(value.change.created_at_ms, Text(""), text, "")

    def _line(self, at_ms: int, name: Text, text: Text, remark: str) -> None:
        """Columns that stay in place when a long utterance needs several lines."""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=8)
        grid.add_column(width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
        grid.add_column(ratio=1)
        grid.add_column(width=REMARK_WIDTH, justify="right", no_wrap=True)
        stamp = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S")
        grid.add_row(Text(stamp, style="dim"), name, text, Text(remark, style="dim"))
        self.console.print(grid)

    def _colour(self, participant_id: int) -> str:
        return self._colours.setdefault(participant_id, COLOURS[len(self._colours) % len(COLOURS)])
