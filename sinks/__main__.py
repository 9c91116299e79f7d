"""`python -m sinks NAME`: one process runs one sink; each has its own consumer group."""

import argparse
from importlib import import_module

SINKS = {
    "clickhouse": "writes transcripts, participant events and app sessions into ClickHouse",
    "objects": "stores recordings in object storage",
    "webhooks": "tells customers' receivers what happened",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m sinks",
        description=__doc__,
        epilog="\n".join(f"  {name:12}{what}" for name, what in SINKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sink", choices=SINKS, help="which one to run; settings come from RTMS_* variables")
    name = parser.parse_args().sink
    import_module(f"sinks.{name}.command").run()


if __name__ == "__main__":
    main()
