"""Ask a part's tests whether they notice a fault, each time in a process forked for it.

First the tests run once without any fault, and it is kept which lines each of them reaches, and how
long it takes. Then a process that has collected them forks for each fault, puts the faulty code
into its function, and asks the tests that reach it, quickest first, until one fails. What has run
by then can't be made wrong any more: tables that are made at import, and what the tests themselves
asked for to know their cases. A fault there gets a process that imports everything anew.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from mmap import mmap
from pathlib import Path
from struct import Struct
from types import CodeType, FunctionType, ModuleType

import coverage
import hypothesis.strategies
import pytest
from mutate.planting import Fault, Module

ROOT = Path(__file__).parents[2]
ASKED = [
    "-q",
    "-x",
    *("-o", f"cache_dir={ROOT}/.cache/mutate"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]
NOT_ASKED = ("holds_it_up", "in_step_with_its_length")
"""Tests that measure time: what they say here depends on what the machine does besides."""
MEMORY_BYTES_MAX = 2 << 30
"""Thirty times what the tests take; a fault may make a list without an end."""
STUCK_S, STUCK_TIMES = 5, 5
"""Of processor time: a fault that makes a loop without an end is noticed too."""
_PLACE = Struct("q")
NOTICED, SURVIVED, BROKEN = 1, 0, 70


@dataclass
class Seen:
    """What the tests of a part did without any fault."""

    early: dict[str, set[int]] = field(default_factory=dict)
    """By file: lines that ran before the first test."""
    reaching: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    """By file and line: the tests that reach it."""
    took_s: dict[str, float] = field(default_factory=dict)

    def is_early(self, fault: Fault) -> bool:
        """Say whether what the fault changes ran before the first test."""
        return bool(self.early.get(fault.path, set()) & set(_lines(fault)))

    def tests_for(self, fault: Fault) -> list[str]:
        """Return the tests that can notice it, quickest first."""
        if self.is_early(fault):
            found = set(self.took_s)
        else:
            by_line = self.reaching.get(fault.path, {})
            found = {test for line in _lines(fault) for test in by_line.get(line, ())}
        return sorted(found, key=lambda test: self.took_s[test])


def _lines(fault: Fault) -> range:
    return range(fault.lines[0], fault.lines[1] + 1)


class Chosen:
    """Has pytest keep only the tests that a part wants, without what makes them slow."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted

    def pytest_configure(self) -> None:
        """Same inputs each time; a failure is enough, nobody reads its smallest form."""
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile(
            "mutate",
            database=None,
            derandomize=True,
            deadline=None,
            phases=phases,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("mutate")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what isn't wanted."""
        items[:] = [
            item
            for item in items
            if self._wanted(item.nodeid) and not any(slow in item.nodeid for slow in NOT_ASKED)
        ]


class _Survey:
    """Notes what each test reaches, and how long it takes."""

    def __init__(self, folder: str) -> None:
        self._coverage = coverage.Coverage(
            data_file=None, include=[f"{ROOT}/{folder}/*"], config_file=False
        )
        self._coverage.start()
        self.seen = Seen()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        begun_s = os.times().user
        result = yield
        self.seen.took_s[item.nodeid] = os.times().user - begun_s
        return result

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        found = self._coverage.get_data()
        for file in found.measured_files():
            path = str(Path(file).relative_to(ROOT))
            early, reaching = set(), {}
            for line, contexts in found.contexts_by_lineno(file).items():
                if "" in contexts:
                    early.add(line)
                reaching[line] = set(contexts) - {""}
            self.seen.early[path], self.seen.reaching[path] = early, reaching


class _Bench:
    """Forks for each fault once everything is collected, in the place of running the tests."""

    def __init__(self, trials: Iterable[Trial], tell: Callable[[Trial, int], None]) -> None:
        self._trials = trials
        self._tell = tell
        self._noticed: Counter[tuple[str, str]] = Counter()
        """How often a test has noticed a fault of this function, and of this file."""
        self._place = mmap(-1, _PLACE.size)
        """Where a fork says which of the tests it asked has noticed."""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for trial in self._trials:
            tests = self._ordered(trial)
            asked = [items[test] for test in tests]
            _PLACE.pack_into(self._place, 0, -1)
            work = partial(_hot, session, trial, asked, self._place)
            self._tell(trial, in_a_fork(work, trial.limit_s))
            (place,) = _PLACE.unpack_from(self._place)
            if place >= 0:
                self._noticed[trial.fault.function, tests[place]] += 1
                self._noticed[trial.fault.path, tests[place]] += 1
        return True

    def _ordered(self, trial: Trial) -> list[str]:
        """Return the tests, those first that have noticed what is near."""
        near, far, noticed = trial.fault.function, trial.fault.path, self._noticed
        return sorted(trial.tests, key=lambda test: (-noticed[near, test], -noticed[far, test]))


@dataclass
class Trial:
    """A fault, with the tests that are asked about it."""

    module: Module
    fault: Fault
    tests: list[str]
    limit_s: float

    @property
    def name(self) -> str:
        """Return the name of the faulty module."""
        return self.fault.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def code(self) -> CodeType:
        """The faulty module."""
        return self.module.planted(self.fault)


def in_a_fork(work: Callable[[], int], limit_s: float) -> int:
    """Return what comes of it; who takes much too long, or too much memory, has noticed."""
    pid = os.fork()
    if pid == 0:
        code = BROKEN
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
            signal.setitimer(signal.ITIMER_PROF, limit_s)
            code = work()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return NOTICED if code < 0 else code


def _hot(session: pytest.Session, trial: Trial, items: list[pytest.Item], told: mmap) -> int:
    """Put the faulty code into the living function, and ask."""
    _function(trial).__code__ = _code(trial.code, trial.fault.function)
    for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            _PLACE.pack_into(told, 0, place)
            return NOTICED
    return SURVIVED


def _function(trial: Trial) -> FunctionType:
    """Return the function itself, under whatever decorates it."""
    found: object = sys.modules[trial.name]
    for part in trial.fault.function.split("."):
        found = vars(found)[part]
    for under in ("fget", "func", "__func__", "__wrapped__"):
        found = getattr(found, under, found)
    if not isinstance(found, FunctionType):
        raise TypeError(trial.fault)
    return found


def _code(code: CodeType, name: str) -> CodeType:
    """Return the code of a function of this module."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    for one in inner:
        if one.co_qualname == name:
            return one
        if name.startswith(f"{one.co_qualname}."):
            return _code(one, name)
    raise LookupError(name)


class _Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Has Python find the faulty module in the place of the good one."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        del path, target
        if name != self._trial.name:
            return None
        return importlib.util.spec_from_file_location(
            name, ROOT / self._trial.fault.path, loader=self
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(self._trial.code, vars(module))  # noqa: S102  # it is ours, and wrong on purpose


def surveyed(folder: str, where: list[str], wanted: Callable[[str], bool]) -> Seen:
    """Run the tests of a part without any fault."""
    survey = _Survey(folder)
    if pytest.main([*ASKED, *where], [Chosen(wanted), survey]) != 0:
        raise RuntimeError
    return survey.seen


def try_collected(
    trials: Iterable[Trial],
    where: list[str],
    wanted: Callable[[str], bool],
    tell: Callable[[Trial, int], None],
) -> None:
    """Try faults in what has not run when the tests are collected."""
    pytest.main([*ASKED, *where], [Chosen(wanted), _Bench(trials, tell)])


def try_anew(trial: Trial, where: list[str]) -> int:
    """Try a fault in what runs at import, in a process that has imported nothing of the house."""
    order = Counter(dict(zip(trial.tests, range(len(trial.tests), 0, -1), strict=True)))

    class Ordered(Chosen):
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            super().pytest_collection_modifyitems(items)
            items.sort(key=lambda item: -order[item.nodeid])

    def work() -> int:
        sys.meta_path.insert(0, _Planter(trial))
        return SURVIVED if pytest.main([*ASKED, *where], [Ordered(order.__contains__)]) == 0 else 1

    return in_a_fork(work, trial.limit_s)
