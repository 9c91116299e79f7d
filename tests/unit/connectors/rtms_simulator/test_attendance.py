"""Who is there after the events so far."""

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.attendance import Attendance
from connectors.rtms.simulator.frames import EventFrame
from connectors.rtms.simulator.meeting import Meeting


def test_it_agrees_with_the_script_at_every_event() -> None:
    meeting = Meeting.build(1, 70)
    attendance = Attendance(meeting.script.cast)
    frames = [frame for frame in meeting.of_medium(Medium.EVENTS) if isinstance(frame, EventFrame)]
    for number, frame in enumerate(frames):
        attendance.apply(frame)
        if number + 1 < len(frames) and frames[number + 1].due_ms == frame.due_ms:
            continue
        at_ms = frame.due_ms - meeting.start_ms
        assert attendance.present() == meeting.script.present(at_ms)
        assert {p.user_id for p in attendance.with_camera()} == {p.user_id for p in meeting.script.with_camera(at_ms)}
    assert attendance.present() == []
