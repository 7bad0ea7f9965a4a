import threading

import pytest

from affetto.core.errors import MalformedError
from affetto.core.roles import Runner
from affetto.run.local import Local


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_no_sooner_than_needed(threads):
    taken = []

    def items():
        for i in range(100):
            taken.append(i)
            yield i

    runner: Runner = Local(threads)
    results = runner.map(lambda x: x * x, items())
    assert next(results) == 0
    assert len(taken) <= 2 * threads
    assert list(results) == [i * i for i in range(1, 100)]
    assert list(runner.map(str, [])) == []


def test_threads_work_at_one_time():
    together = threading.Barrier(2, timeout=10)
    assert list(Local(2).map(lambda _: together.wait() >= 0, range(4))) == [True] * 4


@pytest.mark.parametrize("threads", [1, 2])
def test_an_exception_comes_where_its_result_would(threads):
    results = Local(threads).map(lambda x: 1 // x, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    results = Local(threads).map(str, range(50))
    next(results)
    results.close()


def test_no_threads_cannot_work():
    with pytest.raises(MalformedError, match="threads >= 1"):
        Local(0)
