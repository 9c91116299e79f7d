"""What composing counts."""

from connectors.host.metrics import counter, gauge

RECORDINGS = counter("rtms_composing_recordings", "Recordings left off, by what came of them.", ["result"])
SEGMENTS = counter("rtms_composing_segments", "Segments drawn.")
MEDIA_SECONDS = counter("rtms_composing_media_seconds", "How long what was drawn plays.")
UNDER_WAY = gauge("rtms_composing_under_way", "Recordings being drawn or waiting.")
PLACES = gauge("rtms_composing_places", "Recordings that this process draws at a time.")
RETRIES = counter("rtms_composing_retries", "Times a recording was begun again, because the store or Kafka was away.")
