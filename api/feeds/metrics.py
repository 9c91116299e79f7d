"""What the feeds count."""

from connectors.host.metrics import counter, gauge

READERS = gauge("rtms_api_feed_readers", "who reads live feeds of this process")
TOLD = counter("rtms_api_feed_events_total", "events told to readers", ["event"])
LET_GO = counter("rtms_api_feed_let_go_total", "readers who were asked to come back, or were too slow", ["reason"])
