"""What the objects sink counts."""

from connectors.host.metrics import counter, gauge, histogram

RECORDS = counter("rtms_sink_objects_records", "Input records taken, by kind.", ["kind"])
SEGMENT_BYTES = counter("rtms_sink_objects_segment_bytes", "Bytes of segments stored.")
RETRIES = counter("rtms_sink_objects_retries", "Calls of storage or Kafka that failed and are tried again.", ["what"])
REFUSED = counter("rtms_sink_objects_refused_records", "Input records that became dead letters.")
LOST = counter("rtms_sink_objects_lost_partitions", "Times that retention was faster than the sink.")
MOVIES = counter("rtms_sink_objects_movies", "Recordings finished, by result.", ["result"])
TRACKS = counter("rtms_sink_objects_tracks", "Tracks of recordings made, by result.", ["result"])
MOVIE_SECONDS = histogram("rtms_sink_objects_movie_seconds", "From a session's end to its finished recording.")
HELD_BYTES = gauge("rtms_sink_objects_held_bytes", "Payload bytes read and not yet stored.")
PAUSED = gauge(
    "rtms_sink_objects_paused_partitions", "Partitions paused: too much held, or a recording being finished."
)
COPIES = counter(
    "rtms_sink_objects_copies", "Attempts to copy a recording to a customer's bucket, by result.", ["result"]
)
COPIES_DUE = gauge("rtms_sink_objects_due_copies", "Recordings that customers' buckets still lack.")
ERASED = counter("rtms_sink_objects_erased_records", "Records read of deleted sessions, and erased.")
DELETIONS = counter("rtms_sink_objects_deletions", "Sessions whose objects were erased.")
UNERASED = gauge("rtms_sink_objects_unerased_sessions", "Deleted sessions that still have objects.")
