"""What Zoom told us."""

from connectors.host.metrics import counter

TOLD = counter("rtms_api_zoom_webhooks_total", "genuine webhooks of Zoom by what became of them", ["event", "outcome"])
