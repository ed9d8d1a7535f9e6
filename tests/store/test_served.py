"""One process at a time serves a folder of runs, and a second one is told which."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gonogo.errors import JournalError
from gonogo.store.journal import Served, is_served

HOLD = """
import sys
from pathlib import Path
from gonogo.store.journal import Served
lock = Served(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
SLEEPER = """import subprocess
left = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(left.pid"""


class TestServed:
    def test_a_second_process_is_told_who_serves(self, path, child):
        lock = path.with_suffix(".lock")
        process = child(HOLD, lock)
        assert process.stdout.readline() == "held\n"
        assert is_served(lock)
        with pytest.raises(JournalError, match=f"by process {process.pid}$"):
            Served(lock)

    def test_the_kernel_drops_it_when_the_process_dies(self, path, child):
        lock = path.with_suffix(".lock")
        process = child(HOLD, lock)
        process.stdout.readline()
        process.kill()
        process.wait()
        assert not is_served(lock)
        Served(lock).release()

    def test_looking_whether_it_is_held_does_not_hold_it(self, path):
        lock = path.with_suffix(".lock")
        assert not is_served(lock)
        assert not lock.exists()
        Served(lock).release()
        assert not is_served(lock)

    def test_a_start_is_not_refused_because_somebody_just_looks(self, path):
        lock = path.with_suffix(".lock")
        Served(lock).release()
        looking = threading.Event()

        def look():
            while not looking.is_set():
                is_served(lock)

        with ThreadPoolExecutor(1) as pool:
            pool.submit(look)
            try:
                for _ in range(50):
                    Served(lock).release()
            finally:
                looking.set()

    def test_a_child_of_the_holder_does_not_inherit_it(self, path, child):
        """The shim outlives us: it must not keep the folder locked."""
        lock = path.with_suffix(".lock")
        process = child(HOLD.replace('print("held"', SLEEPER), lock)
        sleeper = int(process.stdout.readline())
        try:
            process.kill()
            process.wait()
            assert not is_served(lock)
        finally:
            os.kill(sleeper, signal.SIGKILL)
