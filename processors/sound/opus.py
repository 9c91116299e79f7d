"""How much sound an Opus packet holds (RFC 6716, section 3): its first byte says it, nothing is decoded. Pure."""

RATE_HZ = 48_000

_MAX_PACKET = 120 * RATE_HZ // 1000
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_SAMPLES = [*_SILK * 3, *_HYBRID * 2, *_CELT * 4]
_ONE, _ARBITRARY = 0, 3
_COUNT_BITS = 63


def length(packet: bytes) -> int:
    """Samples of each channel at `RATE_HZ`; 0 where it is no packet."""
    if not packet:
        return 0
    code = packet[0] & 3
    if code == _ARBITRARY:
        count = packet[1] & _COUNT_BITS if len(packet) > 1 else 0
    else:
        count = 1 if code == _ONE else 2
    samples = count * _SAMPLES[packet[0] >> 3]
    return samples if samples <= _MAX_PACKET else 0
