"""Ctrl-C and its kin: a flag while training runs, an exception at any other time."""

import contextlib
import mmap
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from gradlab.errors import InterruptedRunError

EXIT_CODES: dict[int, int] = {signal.SIGINT: 130, signal.SIGTERM: 143}
if hasattr(signal, "SIGUSR1"):  # what a scheduler sends before it takes the machine away
    EXIT_CODES[signal.SIGUSR1] = 75


class Stop:
    """Whether somebody asked this run to stop; shared with forked processes, a byte of memory each looks at.

    Inside `deferred` a signal only sets the flag, and the training loop saves at its next step boundary. Outside, it
    raises at once: everything that takes long there can be computed again. A second Ctrl-C always raises at once.
    """

    def __init__(self) -> None:
        self._flag = mmap.mmap(-1, 1)
        self._deferred = False

    @property
    def signal_number(self) -> int:
        """The signal that asked, 0 for none."""
        return self._flag[0]

    def request(self, signal_number: int) -> None:
        """Asks the training loops to save and stop."""
        self._flag[0] = signal_number

    def error(self) -> InterruptedRunError:
        """The error to raise after the state is saved."""
        name = signal.Signals(self.signal_number).name
        return InterruptedRunError(f"stopped by {name}", exit_code=EXIT_CODES.get(self.signal_number, 130))

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Runs a block whose loops look at the flag themselves."""
        if self.signal_number:
            raise self.error()
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Handles SIGINT, SIGTERM and SIGUSR1 while the block runs; in a thread other than the main one, none."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in EXIT_CODES}
        hook = sys.unraisablehook
        # Raised where Python can only tell of it, as in a `__del__`, an interruption is no fault: the flag stays set.
        sys.unraisablehook = lambda told: None if isinstance(told.exc_value, InterruptedRunError) else hook(told)
        try:
            yield
        finally:
            sys.unraisablehook = hook
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        again = self.signal_number != 0
        self.request(number)
        if again or not self._deferred:
            raise self.error()
