"""`python -m processors NAME`: one process runs one processor; each has its own consumer group."""

import argparse
from importlib import import_module

PROCESSORS = {
    "lifecycle": "folds facts about sessions into their states",
    "participants": "turns meeting events into joins and leaves",
    "transcription": "turns speech and captions into utterances",
    "muxing": "turns audio and video into recording segments",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m processors",
        description=__doc__,
        epilog="\n".join(f"  {name:15}{what}" for name, what in PROCESSORS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("processor", choices=PROCESSORS, help="which one to run; settings come from RTMS_* variables")
    name = parser.parse_args().processor
    import_module(f"processors.{name}.command").run()


if __name__ == "__main__":
    main()
