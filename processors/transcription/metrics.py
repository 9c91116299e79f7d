"""What transcription counts."""

from connectors.host.metrics import counter, gauge, histogram

UTTERANCES = counter(
    "rtms_transcription_utterances",
    "Utterances by engine and result: final, failed, or wordless (which are not written).",
    ["engine", "result"],
)
UNMET = counter(
    "rtms_transcription_unmet_corrections",
    "Changes of Zoom's captions that nobody knows, by what came of them: as_new (the words are a caption of their own),"
    " forgotten (too old to be put right), nothing (there was nothing to delete).",
    ["outcome"],
)
PARTIALS = counter(
    "rtms_transcription_partials",
    "Partials that were due, by what came of them: written, wordless, failed; or not made then, counted once for all"
    " the frames that it is put off by: late (what was said had been said long before), behind (utterances wait for a"
    " process) or busy (all processes for partials are).",
    ["result"],
)
DICTATIONS = counter(
    "rtms_transcription_dictations",
    "Utterances that a speech service was to hear while they were spoken, by what came of it: used (its words are the"
    " final's); or why it was asked for them when they were complete: incomplete, late, lost, silent, garbled (what it"
    " told), refused, resting (it has trouble), busy (the bounds), keyless, dropped (nothing came any more).",
    ["result"],
)
DICTATIONS_OPEN = gauge("rtms_transcription_dictations_open", "Utterances that a speech service hears right now.")
DICTATED_SECONDS = counter("rtms_transcription_dictated_seconds", "Sound sent to speech services while it was spoken.")
PARTIAL_SECONDS = histogram("rtms_transcription_partial_seconds", "From asking for a partial to its text.")
AHEAD = counter(
    "rtms_transcription_heard_ahead",
    "Utterances that the local recogniser heard when they were likely over, by what came of it: used (they were), or"
    " unused (somebody spoke on).",
    ["result"],
)
SPEECH_SECONDS = counter("rtms_transcription_speech_seconds", "Speech given to the local recogniser.")
RECOGNITION_SECONDS = histogram(
    "rtms_transcription_recognition_seconds", "From the request for a recogniser to its answer, waiting included."
)
ATTEMPTS = counter(
    "rtms_transcription_attempts", "Requests to speech services by engine and what came of them.", ["engine", "result"]
)
FALLBACKS = counter(
    "rtms_transcription_fallbacks", "Times an engine could not tell and the next was asked.", ["engine"]
)
CROWDED_OUT = counter(
    "rtms_transcription_crowded_out",
    "Utterances given up before their time, because projects' keys in trouble held too many places.",
)
RETRIES = counter("rtms_transcription_retries", "Attempts that had to be repeated.")
STARTS = counter("rtms_transcription_recogniser_starts", "Recogniser processes started.")
SIDE_UTTERANCES = counter(
    "rtms_transcription_side_utterances",
    "Utterances of side transcripts, made of stored sound, by engine and result.",
    ["engine", "result"],
)
SIDE_TRANSCRIPTS = counter(
    "rtms_transcription_side_transcripts", "Side transcripts left off, by what came of them.", ["result"]
)
SIDE_UNDER_WAY = gauge("rtms_transcription_side_transcripts_under_way", "Side transcripts being made or waiting.")
SIDE_RETRIES = counter(
    "rtms_transcription_side_retries", "Times stored sound could not be had, or a side transcript was begun anew."
)
