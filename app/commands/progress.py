"""How far a long command has come: a bar on a terminal, a line every few seconds elsewhere."""

from datetime import datetime, timedelta
from typing import TextIO

from core.kernel.clock import Clock

_WIDTH = 30
_ON_TERMINAL = timedelta(milliseconds=200)
_ELSEWHERE = timedelta(seconds=5)


class Progress:
    """Call it with a stage, what is done and how much it is in all; it says rate and time left.

    ``units`` name what each stage counts; a stage without one counts bytes, which it shows as MB.
    """

    def __init__(self, stream: TextIO, clock: Clock, units: dict[str, str]) -> None:
        self._stream, self._clock, self._units = stream, clock, units
        self._on_terminal = stream.isatty()
        self._stage = ""
        self._began = self._said = clock.now()
        self._last = self._shown = ""

    def __call__(self, stage: str, done: int, whole: int) -> None:
        now = self._clock.now()
        if stage != self._stage:
            self.end()
            self._stage, self._began, self._said = stage, now, now
        self._last = self._line(done, whole, now)
        if now - self._said >= (_ON_TERMINAL if self._on_terminal else _ELSEWHERE):
            self._say(now)

    def end(self) -> None:
        """The stage is over: on a terminal its last line stays, elsewhere it is said."""
        if self._last:
            if self._last != self._shown:
                self._say(self._said)
            if self._on_terminal:
                self._stream.write("\n")
                self._stream.flush()
        self._stage = self._last = self._shown = ""

    def _say(self, now: datetime) -> None:
        end = "\x1b[K" if self._on_terminal else "\n"
        self._stream.write(("\r" if self._on_terminal else "") + self._last + end)
        self._stream.flush()
        self._said, self._shown = now, self._last

    def _line(self, done: int, whole: int, now: datetime) -> str:
        seconds = max((now - self._began).total_seconds(), 0.001)
        part = done / whole if whole else 1.0
        filled = int(part * _WIDTH)
        bar = "#" * filled + "-" * (_WIDTH - filled)
        unit = self._units.get(self._stage)
        rate = f"{done / seconds:,.0f} {unit}/s" if unit else f"{done / seconds / 1e6:,.1f} MB/s"
        left = _span(seconds / part - seconds) if 0 < part < 1 else _span(seconds)
        word = "left" if part < 1 else "in all"
        return f"{self._stage:<10} [{bar}] {part:4.0%}  {rate}  {left} {word}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
