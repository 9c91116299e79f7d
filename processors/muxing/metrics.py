"""What muxing counts, beside the shell's own numbers."""

from connectors.host.metrics import counter

SEGMENTS = counter("rtms_muxing_segments", "Segments written, repetitions included.")
SEGMENT_BYTES = counter("rtms_muxing_segment_bytes", "Payload bytes of the segments written.")
PICTURES = counter("rtms_muxing_pictures", "Pictures in the segments written, black ones included.")
DROPPED_PICTURES = counter("rtms_muxing_dropped_pictures", "Pictures sent that nothing could show.")
UNWRITABLE = counter("rtms_muxing_unwritable_stretches", "Stretches that could only be written with a gap.")
DEPENDENT_SEGMENTS = counter("rtms_muxing_dependent_segments", "Segments that do not start with a key frame.")
RECORDINGS = counter("rtms_muxing_recordings", "Recordings ended.")
