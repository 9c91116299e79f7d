"""What the shell of the Faust processors counts."""

from connectors.host.metrics import counter, gauge, histogram

RECORDS = counter("rtms_processors_records", "Input records taken.", ["topic"])
IGNORED = counter("rtms_processors_ignored_records", "Deliveries that were not taken, to be read again.", ["reason"])
LEFT_OUT = counter(
    "rtms_processors_left_out_records", "Input records that belong into no window, by why.", ["topic", "reason"]
)
REFUSED = counter("rtms_processors_refused_records", "Input records that became dead letters.", ["topic"])
UNREADABLE = counter("rtms_processors_unreadable_states", "Records of the state topic that are no states.", ["topic"])
LOST = counter("rtms_processors_lost_records", "Input records deleted by retention before they were read.", ["topic"])
HOLES = counter("rtms_processors_holes", "Holes between two epochs that were stated.", ["medium"])
WINDOWS = counter("rtms_processors_windows", "Windows whose outputs are acknowledged.")
OUTPUTS = counter("rtms_processors_outputs", "Output records acknowledged.", ["topic"])
ASIDE = counter("rtms_processors_put_aside", "Works or outputs that became dead letters: there is a gap instead.")
UNSHOWN = counter("rtms_processors_unshown", "Courtesies, such as partials, that could not be made or written.")
STATES = counter("rtms_processors_states", "States written.")
EXPIRED = counter("rtms_processors_expired_states", "States erased because the inputs hold their sessions no more.")
COMMITS = counter("rtms_processors_commits", "Offset commits by result.", ["result"])
LOADS = counter("rtms_processors_loads", "Assignments whose states were loaded.")
SESSIONS = gauge("rtms_processors_sessions", "Sessions in memory.")
HELD_BYTES = gauge("rtms_processors_held_bytes", "Payload bytes in windows that are still open.")
PAUSED = gauge("rtms_processors_paused_inputs", "Input partitions paused because they lead too far.")
OVERFULL = counter("rtms_processors_overfull_partitions", "Rounds in which all inputs of a partition led too far.")
RENDER_SECONDS = histogram("rtms_processors_render_seconds", "From a complete window to its output.")
