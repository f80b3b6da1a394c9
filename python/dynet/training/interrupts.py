"""Ctrl-C waits for the end of what belongs together, such as an update and its count."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """`with interrupts:` holds the first Ctrl-C back until the block ends; a second one comes at once."""

    def __init__(self) -> None:
        self._held = self._received = self._is_installed = False

    def install(self) -> None:
        """Takes the signal, unless a program or another thread takes care of it."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._is_installed = True

    def remove(self) -> None:
        """Gives the signal back."""
        if self._is_installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._is_installed = False

    def _handle(self, number: int, frame: Any) -> None:
        if self._held and not self._received:
            self._received = True
        else:
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        self._held = True

    def __exit__(self, kind: object, *_: object) -> None:
        received, self._held, self._received = self._received, False, False
        if received and kind is None:
            raise KeyboardInterrupt
