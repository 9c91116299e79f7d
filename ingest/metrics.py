"""What a connector worker counts."""

from connectors.host.metrics import counter, gauge

FRAMES = counter("rtms_ingest_frames_total", "frames read from Zoom", ["topic"])
REFUSED = counter("rtms_ingest_refused_total", "messages from Zoom that became dead letters", ["reason"])
LETTERS_LOST = counter("rtms_ingest_letters_lost_total", "dead letters given up because too many waited for Kafka")
LOST = counter("rtms_ingest_lost_total", "frames that did not get into Kafka", ["topic", "cause"])
SESSIONS = gauge("rtms_ingest_sessions", "sessions held by this worker")
CLAIMS = counter("rtms_ingest_claims_total", "claims stated")
LET_GO = counter("rtms_ingest_let_go_total", "sessions given up to another worker")
ASKED = counter("rtms_ingest_asked_total", "requests to another worker to let a session go", ["result"])
TOLD = counter("rtms_ingest_told_total", "requests of other workers to let a session go", ["status"])
SESSION_FAILURES = counter("rtms_ingest_session_failures_total", "sessions that a mistake of ours has ended")
UNREADABLE = counter("rtms_ingest_unreadable_total", "records of followed topics that are none", ["topic"])
