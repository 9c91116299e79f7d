"""What the API counts."""

from connectors.host.metrics import counter, gauge, histogram

REQUESTS = counter("rtms_api_requests_total", "requests answered", ["method", "route", "status"])
LATENCY = histogram(
    "rtms_api_request_seconds",
    "from a request's headers to the end of its answer, of a feed to its beginning",
    ["method", "route"],
)
UNREADABLE = counter("rtms_api_unreadable_total", "records of followed topics that are none", ["topic"])
SESSIONS = gauge("rtms_api_sessions", "sessions whose state is held")
