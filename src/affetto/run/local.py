"""Work on many items here, in this process, in order. Knows threads; knows no other machine."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from affetto.core.errors import MalformedError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Local:
    """A Runner of this process.

    >>> list(Local().map(len, ["joy", "anger"]))
    [3, 5]
    """

    threads: int = 1
    """How many items at a time; more than one pays only where the work lets go of the interpreter (ONNX, files)."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.threads < 1:
            raise MalformedError(f"Local wants threads >= 1, not {self.threads}")

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results in the order of the items, taking at most twice as many items ahead as there are threads.

        An exception of the work comes out where its result would have come.
        """
        if self.threads == 1:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            ahead: deque[Future[Result]] = deque()
            try:
                for item in items:
                    ahead.append(pool.submit(work, item))
                    if len(ahead) >= 2 * self.threads:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()
