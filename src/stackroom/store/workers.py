"""Processes of our own that read models beside this one, where a registry is large and there is more than one CPU.

A worker is a fresh interpreter that runs :mod:`stackroom.store.worker`. It is not forked: the caller may be a terminal
interface with threads, a notebook, or a script without a guard around its main part. It is given the open folder of the
models and, over a pipe, what to read of which model; it answers with JSON and bytes, never with pickles. Whatever a
worker does not answer, because it cannot be started, died, is stuck, or has found something that is not as it should
be, is read by this process: workers change how long an answer takes, and nothing else.

Workers are a process group of their own, so that Ctrl-C reaches only their maker, who ends them; where the maker is
killed, the end of their input ends them.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from queue import SimpleQueue
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from stackroom.core.values import dataclass
from stackroom.store.sidebyside import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from stackroom.store.folder import Folder

T = TypeVar("T")

FRAME: Final = Struct("<II")
"""What stands before an answer: the lengths of its facts, which are JSON, and of its bytes."""

_ALONE: Final = 0.15
"""Seconds of reading before anybody is asked to help: three times what starting a worker takes."""

_WORTH_IT: Final = 0.3
"""Seconds of reading that must be left, at the pace so far."""

_SILENCE: Final = 60.0
"""Seconds without a byte after which a worker is taken to be stuck; a model of ten thousand versions on a slow network
takes half of it."""

_FAREWELL: Final = 2.0
"""Seconds that are waited for a worker to end that was killed."""

_MOST: Final = 8
"""Workers. Beyond that the one process that collects the answers is what everybody waits for."""

_WAITING: Final = 64
"""Answers that may wait to be collected."""

_REQUEST_LIMIT: Final = 4096
"""Bytes. Two of these always fit a pipe, so that asking never waits for a worker that waits to be heard."""

_AT_ONCE: Final = 1024 * 1024
"""Bytes."""

_LONGEST: Final = 1024 * _AT_ONCE // 4
"""Bytes of an answer: a hundred thousand versions of one model, and what is no answer is more."""

_START: Final = "import sys; sys.path.append(sys.argv.pop(1)); from stackroom.store.worker import main; main()"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says of a model: facts, which are JSON's types, and the bytes that they tell apart."""

    facts: Any
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Generic[T]):
    """Something to do for many models.

    Attributes:
        models: the folder of the models.
        task: which of the tasks of :mod:`stackroom.store.worker` it is, and what that has to know.
        requests: what to do for each model, in JSON's types.
        alone: does it here, by the place among the requests.
        together: makes the same of a worker's answer; None where it has to be done here after all.
    """

    models: Folder
    task: Mapping[str, Any]
    requests: Sequence[Mapping[str, Any]]
    alone: Callable[[int], T]
    together: Callable[[Answer], T | None]


def shared_out(work: Work[T], *, jobs: int | None = None) -> Generator[T, None, None]:
    """Do some work: here at first, and with workers where much of it is left then.

    Args:
        work: what to do.
        jobs: how many workers; by default as many as there are CPUs, and none where there is one.

    Yields:
        What was done, in no order. Whoever has enough closes the generator, which ends the workers.
    """
    count = min(processors(), _MOST) if jobs is None else jobs
    started = time.monotonic()
    total = len(work.requests)
    for place in range(total):
        took = time.monotonic() - started
        if count > 1 and took >= _ALONE and took / max(place, 1) * (total - place) >= _WORTH_IT:
            with _Crew(work, range(place, total), min(count, total - place)) as crew:
                yield from crew.results()
            return
        yield work.alone(place)


class _Crew(Generic[T]):
    """Workers, and for each a thread that asks it for one model after the other. Leaving the block ends them all."""

    def __init__(self, work: Work[T], places: Sequence[int], count: int) -> None:
        self._work = work
        self._left = deque(places)
        self._answers: SimpleQueue[tuple[int, Answer | None] | None] = SimpleQueue()
        self._room = threading.Semaphore(_WAITING)
        self._ended = False
        self._workers: list[subprocess.Popen[bytes]] = []
        for _ in range(count):
            worker = _started(work)
            if worker is None:
                break
            self._workers.append(worker)
        self._threads = [threading.Thread(target=self._lead, args=(one,), daemon=True) for one in self._workers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended = True
        self._left.clear()
        for worker in self._workers:
            worker.kill()
        # Whoever waits to be rid of an answer goes on, and finds that there is nobody to ask.
        for _ in self._threads:
            self._room.release()
        for worker, thread in zip(self._workers, self._threads, strict=True):
            thread.join(_FAREWELL)
            if thread.is_alive():
                # A kernel that waits for a file server lets nobody die; its thread goes with it, or with this process.
                continue
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    pipe.close()

    def results(self) -> Iterator[T]:
        """One for every place."""
        working = len(self._threads)
        while working:
            found = self._answers.get()
            if found is None:
                working -= 1
                continue
            self._room.release()
            place, answer = found
            done = self._work.together(answer) if answer is not None else None
            yield self._work.alone(place) if done is None else done
        while self._left:
            yield self._work.alone(self._left.popleft())

    def _lead(self, worker: subprocess.Popen[bytes]) -> None:
        """Ask a worker until nothing is left or it fails, always for one model more than it has answered."""
        asked: deque[int] = deque()
        try:
            while True:
                while len(asked) < 2 and (place := self._next()) is not None:
                    asked.append(place)
                    line = _line(self._work.requests[place])
                    if len(line) > _REQUEST_LIMIT:
                        self._answered(asked.pop(), None)
                    else:
                        _write(worker, line)
                if not asked:
                    break
                answer = _answer_of(worker)
                self._answered(asked.popleft(), answer)
        except (OSError, ValueError, EOFError):
            # Dead, stuck, or it talks nonsense: it is not asked again.
            worker.kill()
            for place in asked:
                self._answered(place, None)
        finally:
            self._answers.put(None)

    def _next(self) -> int | None:
        try:
            return self._left.popleft()
        except IndexError:
            return None

    def _answered(self, place: int, answer: Answer | None) -> None:
        if not self._ended:
            self._room.acquire()
        self._answers.put((place, answer))


def _started(work: Work[Any]) -> subprocess.Popen[bytes] | None:
    """A worker; None where there can be none, such as in a sandbox without processes."""
    if not sys.executable:
        return None
    home = os.path.abspath(__file__).removesuffix("/stackroom/store/workers.py")
    try:
        worker = subprocess.Popen(  # noqa: S603 - this very interpreter, isolated: no path, no variable and no site of anybody's
            [sys.executable, "-I", "-S", "-c", _START, home, str(work.models.fd), work.models.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pass_fds=(work.models.fd,),
            process_group=0,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    try:
        _write(worker, _line(work.task))
    except OSError:
        # It is dead, and whoever asks it will notice.
        worker.kill()
    return worker


def _line(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"


def _write(worker: subprocess.Popen[bytes], line: bytes) -> None:
    if worker.stdin is not None:
        worker.stdin.write(line)


def _answer_of(worker: subprocess.Popen[bytes]) -> Answer:
    """What it says next.

    Raises:
        OSError: it says nothing for too long.
        EOFError: it has ended.
        ValueError: it is no answer.
    """
    if worker.stdout is None:
        raise EOFError
    fd = worker.stdout.fileno()
    facts, content = FRAME.unpack(_exactly(fd, FRAME.size))
    if max(facts, content) > _LONGEST:
        raise ValueError
    return Answer(json.loads(_exactly(fd, facts)), bytes(_exactly(fd, content)))


def _exactly(fd: int, size: int) -> bytearray:
    found = bytearray()
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    while len(found) < size:
        if not ready.poll(_SILENCE * 1000):
            raise TimeoutError
        chunk = os.read(fd, min(size - len(found), _AT_ONCE))
        if not chunk:
            raise EOFError
        found += chunk
    return found
