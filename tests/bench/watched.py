"""Run the gateway as it is, and write down what can only be seen from inside.

    python tests/bench/watched.py FILE run --config …

At its end FILE holds, as JSON, when each sentence was known to be on disk (monotonic nanoseconds,
by the sentence), and what share of the event loop's lags was below what.
"""

import json
import sys
from pathlib import Path

from gateway.cli import main
from gateway.health import LoopLag
from gateway.journal.front import Journal
from gateway.model.inbound import Ruling


def watched(file: Path, arguments: list[str]) -> int:
    """Run the command line with these arguments."""
    kept_ns: dict[str, list[int]] = {}
    lags: list[LoopLag] = []
    append, run = Journal.append, LoopLag.run

    def appending(journal, items):
        told = append(journal, items)
        wires = [item.sighting.report.raw[-1] for item in items if isinstance(item, Ruling)]
        clock = journal._disk._clock

        def note(_):
            now_ns = clock.now().mono_ns
            for wire in wires:
                kept_ns.setdefault(wire, []).append(now_ns)

        told.add_done_callback(note)
        return told

    async def running(lag):
        lags.append(lag)
        await run(lag)

    Journal.append, LoopLag.run = appending, running
    try:
        return main(arguments)
    finally:
        lag_ms = {share: lags[0].ms_at(share) for share in (0.5, 0.99, 0.999)} if lags else {}
        lag_ms["max"] = lags[0].ms_max if lags else 0.0
        file.write_text(json.dumps({"kept_ns": kept_ns, "lag_ms": lag_ms}))


if __name__ == "__main__":
    sys.exit(watched(Path(sys.argv[1]), sys.argv[2:]))
