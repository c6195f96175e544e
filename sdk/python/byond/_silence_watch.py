"""Ends what waits for too long, where the library that waits has no timeout for it."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Callable


class SilenceWatch:
    """Calls a function if nothing is seen for some time. A thread of its own counts the time, within a `with` block."""

    def __init__(self, end: Callable[[], object], seconds: float) -> None:
        self._end = end
        self._seconds: float | None = seconds
        self._changed = threading.Condition()
        self._is_changed = False
        self._is_over = False
        self._thread = threading.Thread(target=self._watch, daemon=True, name="byond-stream-silence")

    def expect(self, seconds: float | None) -> None:
        """Begins to wait anew. None: nothing is expected."""
        with self._changed:
            self._seconds = seconds
            self._is_changed = True
            self._changed.notify()

    def __enter__(self) -> SilenceWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        self.expect(None)

    def _watch(self) -> None:
        with self._changed:
            while not self._is_over:
                self._is_changed = False
                if not self._changed.wait_for(lambda: self._is_changed, self._seconds):
                    self._end()
                    return
