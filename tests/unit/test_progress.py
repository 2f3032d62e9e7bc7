"""A long command says how far it is: often on a terminal, now and then elsewhere."""

from datetime import UTC, datetime, timedelta
from io import StringIO

from app.commands.progress import Progress
from core.kernel.clock import ManualClock


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: StringIO, steps: int, seconds: float, done: int = 100) -> str:
    """What is said of ``steps`` steps of ``done`` lines, each so many seconds long, of 1,000."""
    clock = ManualClock(datetime(2026, 11, 17, 19, 11, tzinfo=UTC))
    progress = Progress(stream, clock, {"Writing": "lines"})
    progress("Writing", 0, 1000)
    for step in range(1, steps + 1):
        clock.advance(timedelta(seconds=seconds))
        progress("Writing", step * done, 1000)
    progress.end()
    return stream.getvalue()


def test_elsewhere_a_line_is_said_every_few_seconds_and_at_the_end():
    lines = told(StringIO(), steps=5, seconds=2.5).splitlines()

    assert lines == [
        "Writing    [######------------------------]  20%  40 lines/s  0:20 left",
        "Writing    [############------------------]  40%  40 lines/s  0:15 left",
        "Writing    [###############---------------]  50%  40 lines/s  0:12 left",
    ]


def test_on_a_terminal_one_line_is_drawn_over_and_over():
    said = told(Terminal(), steps=10, seconds=400)

    assert said.count("\n") == 1
    assert said.count("\r") == 10
    assert "  10%  0 lines/s  1:00:00 left\x1b[K" in said
    assert said.endswith(
        "\rWriting    [##############################] 100%  0 lines/s  1:06:40 in all\x1b[K\n"
    )


def test_a_stage_without_a_unit_counts_megabytes():
    stream = StringIO()
    clock = ManualClock(datetime(2026, 11, 17, 19, 11, tzinfo=UTC))
    progress = Progress(stream, clock, {})
    progress("Reading", 0, 20_000_000)
    clock.advance(timedelta(seconds=5))
    progress("Reading", 10_000_000, 20_000_000)

    assert "50%  2.0 MB/s  0:05 left" in stream.getvalue()
