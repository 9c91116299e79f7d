"""Bits as H.264 counts them: fixed and Exp-Golomb numbers, and the escaping that keeps start codes out of data."""

MAX_ZEROS = 32
"""Before the first one of an Exp-Golomb number."""


class BitReader:
    """Reads the payload of a NAL unit (without its header byte), already unescaped.

    Raises:
        ValueError: reading past the end, or a number of more than 32 bits.
    """

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def bits(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("the data ends early")
        return self._number >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """One ue(v)."""
        left = self._number & (1 << self._left) - 1
        zeros = self._left - left.bit_length()
        if zeros > MAX_ZEROS:
            raise ValueError("no number is that large")
        return self.bits(2 * zeros + 1) - 1

    def signed(self) -> int:
        """One se(v)."""
        code = self.unsigned()
        return code + 1 >> 1 if code & 1 else -(code >> 1)


class BitWriter:
    """Collects bits as text: what is written here is short or repetitive, and is written once."""

    def __init__(self) -> None:
        self._bits: list[str] = []
        self._count = 0

    def bits(self, value: int, count: int) -> "BitWriter":
        return self.pattern(f"{value:0{count}b}")

    def unsigned(self, value: int) -> "BitWriter":
        """One ue(v)."""
        code = f"{value + 1:b}"
        return self.pattern("0" * (len(code) - 1) + code)

    def pattern(self, text: str) -> "BitWriter":
        self._bits.append(text)
        self._count += len(text)
        return self

    def align(self) -> "BitWriter":
        """Zero bits up to the next byte."""
        return self.pattern("0" * (-self._count % 8))

    def raw(self, data: bytes) -> "BitWriter":
        return self.pattern(f"{int.from_bytes(data, 'big'):0{len(data) * 8}b}")

    def payload(self) -> bytes:
        """What was written, closed by the stop bit."""
        text = "".join(self._bits) + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def escaped(payload: bytes) -> bytes:
    """The payload with emulation prevention bytes."""
    out = bytearray()
    zeros = 0
    for byte in payload:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = 0 if byte else zeros + 1
    return bytes(out)


def unescaped(data: bytes) -> bytes:
    """The payload without emulation prevention bytes."""
    return data.replace(b"\0\0\3", b"\0\0")
