"""`make fuzz`: Zoom's words, bent by a fuzzer that watches which lines of the protocol core they reach.

    python -m tests.fuzz FOLDER [libFuzzer's options]

FOLDER keeps what reached something new, for the next run. What it finds is a file in `findings/` and from then on a
unit test.
"""

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["connectors.rtms.protocol"]):
    from tests.fuzz.target import try_everything
from tests.fuzz.mutation import mutate_json
from tests.fuzz.seeds import write_seeds

FINDINGS = Path(__file__).with_name("findings")
LONGEST_BYTES = 8192


def mutator(data: bytes, max_size: int, seed: int) -> bytes:
    """See `mutation`."""
    return mutate_json(data, random.Random(seed), lambda old: atheris.Mutate(old, max_size))[:max_size]


def main() -> None:
    """Never returns: libFuzzer ends the process, with 0 when it found nothing."""
    corpus, *options = sys.argv[1:]
    write_seeds(Path(corpus))
    FINDINGS.mkdir(exist_ok=True)
    own = [f"-artifact_prefix={FINDINGS}/", f"-max_len={LONGEST_BYTES}", "-print_final_stats=1", "-reduce_inputs=0"]
    atheris.Setup([sys.argv[0], *own, *options, corpus], try_everything, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
