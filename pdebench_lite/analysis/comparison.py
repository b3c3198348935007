"""Comparison: everything that is said of the methods on one problem, and over problems."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pdebench_lite.analysis.beside import beside
from pdebench_lite.analysis.classical import advice
from pdebench_lite.analysis.courses import Course, courses, usual_errors, usual_times
from pdebench_lite.analysis.entrants import Contest, Entrant, Key, Source, contests
from pdebench_lite.analysis.fairness import OTHER_SOURCE, Audit, audit
from pdebench_lite.analysis.overall import OverallBlock, Part, Terms, overall
from pdebench_lite.analysis.pairs import Pair, pairs
from pdebench_lite.analysis.provenance import measured
from pdebench_lite.analysis.remark import Remark
from pdebench_lite.analysis.seen import data_seen, data_text
from pdebench_lite.analysis.standings import Standing, standings
from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.selectors import names_of

Data = Mapping[str, int | bool]


@dataclass(frozen=True)
class Block:
    """Entrants that were given equal data: only among these are there ranks.

    Attributes:
        heading: the data in words.
        standings: final errors, smallest median first.
        courses: errors over time.
    """

    heading: str
    standings: Sequence[Standing]
    courses: Sequence[Course]

    @cached_property
    def pairs(self) -> Sequence[Pair]:
        """Each two entrants on the seeds that they share; made when first asked for."""
        return pairs(self.standings)


@dataclass(frozen=True)
class ProblemComparison:
    """The comparison on one problem.

    Attributes:
        contest: the problem and who ran.
        blocks: by data given; those with labels first.
        audit: the conditions, in the order of `contest.entrants`.
        times, errors: what the courses are read at.
        advice: what is missing of the classical solver, and the command that adds it; or None.
        success: the final errors whose success rates are asked for.
        measured: when and on what machines the first source's records were measured, in words.
        beside: for each further source, what of its records compares with the first's.
        parameters: those of the problem that differ from row to row, where several problems of one
            task were taken together.
    """

    contest: Contest
    blocks: Sequence[Block]
    audit: Audit
    times: Sequence[float]
    errors: Sequence[float]
    advice: Remark | None
    success: Sequence[float] = ()
    measured: str = ""
    beside: Sequence[str] = ()
    parameters: Sequence[str] = ()

    def place(self, entrant: Entrant) -> int:
        """Return the number of an entrant in the audit."""
        return next(i for i, e in enumerate(self.contest.entrants) if e is entrant)

    def marks(self, *entrants: Entrant) -> list[str]:
        """Name what was unequal for an entrant, or for any configuration of a curve."""
        words = (word for entrant in entrants for word in self.audit.marks[self.place(entrant)])
        return list(dict.fromkeys(words))


@dataclass(frozen=True)
class Comparison:
    """The comparison of all methods on all problems.

    Attributes:
        problems: one comparison for each.
        overall: blocks of entrants over all problems; empty where there is only one problem.
        times, errors: what `overall` is read at.
    """

    problems: Sequence[ProblemComparison]
    overall: Sequence[OverallBlock]
    times: Sequence[float]
    errors: Sequence[float]


def compare(
    sources: Sequence[Source],
    problems: Iterable[str] = (),
    metric: str = "",
    times: Sequence[float] = (),
    errors: Sequence[float] = (),
    over: Sequence[str] = (),
    success: Sequence[float] = (),
    methods: Sequence[str] = (),
) -> Comparison:
    """Compare what is in results folders.

    Args:
        sources: results folders, the user's own first.
        problems: problem labels, with or without parameters; empty means all that the user ran.
        metric: error to compare; by default the headline metric of each problem.
        times: charged seconds to compare at; by default what the runs saw.
        errors: errors to compare at; by default powers of ten that somebody reached.
        over: parameters of problems, such as `instance`, whose values count as seeds do.
        success: final errors whose success rates are asked for.
        methods: labels of methods, with or without settings; empty means all. Those that ran, but
            are left out, are named.

    Raises:
        PdebenchError: no such problem, method or metric among the records, or nothing to compare.
    """
    every = contests(sources, (), metric, over)
    parameters = {name for c in every for r in c.records for name in r.problem_params}
    for name in over:
        if name not in parameters:
            raise unknown_name("parameter of the problems in these records", name, parameters)
    wanted = list(problems)
    labels = {c.label for c in every}
    _check_names(wanted, labels, "problem")
    found = [c for c in every if not wanted or names_of(c.label) & set(wanted)]
    found = [contest for contest in found if contest.entrants]
    if not found:
        raise PdebenchError("nothing to compare: no record ran, all are unsupported")
    if not wanted:
        own = sources[0].name
        found = [c for c in found if any(e.key.source == own for e in c.entrants)]
    if not found:
        raise PdebenchError(
            f"nothing in '{sources[0].store.root}' ran; name a problem of the other folder with "
            f"--problem: {', '.join(c.label for c in every)}"
        )
    if methods:
        present = {e.key.label for c in found for e in c.entrants}
        _check_names(methods, present, "method")
        found = [contest for c in found if (contest := c.only(methods)).entrants]
    if metric:
        names = {name for c in found for r in c.records for name in r.metrics}
        if metric not in names:
            raise unknown_name("metric in these records", metric, names)
    compared = [_problem(contest, sources, times, errors, success) for contest in found]
    together: list[OverallBlock] = []
    all_times = list(times) or usual_times(found)
    all_errors = list(errors) or usual_errors(found)
    if len(compared) > 1:
        together = overall([part_of(c, errors) for c in found], all_times, all_errors)
    return Comparison(compared, together, all_times, all_errors)


def _check_names(wanted: Iterable[str], labels: set[str], what: str) -> None:
    """Raise if a name stands for none of the labels."""
    for name in wanted:
        if not any(name in names_of(label) for label in labels):
            raise unknown_name(f"{what} in these records", name, labels)


def _problem(
    contest: Contest,
    sources: Sequence[Source],
    times: Sequence[float],
    errors: Sequence[float],
    success: Sequence[float],
) -> ProblemComparison:
    own = sources[0]
    blocks = []
    for heading, entrants in data_blocks(contest):
        standing = standings(entrants)
        order = {id(s.entrant): place for place, s in enumerate(standing)}
        blocks.append(Block(heading, standing, _ordered(entrants, order)))
    return ProblemComparison(
        contest,
        blocks,
        audit(contest.entrants),
        list(times) or usual_times([contest]),
        list(errors) or usual_errors([contest]),
        advice(contest, own.store.root),
        success,
        measured(
            [r for e in contest.entrants if e.key.source == own.name for r in e.records],
            own.environment,
        ),
        beside(contest, sources),
    )


def _ordered(entrants: Sequence[Entrant], order: Mapping[int, int]) -> list[Course]:
    """Return courses in the order of the standings; who stopped on the error comes last."""
    last = len(order)
    return sorted(
        courses(entrants), key=lambda c: min(order.get(id(entrant), last) for entrant in c.entrants)
    )


def data_blocks(contest: Contest) -> list[tuple[str, list[Entrant]]]:
    """Sort entrants by the data that they were given, named in words; labels first."""
    groups: dict[str, list[Entrant]] = {}
    for entrant in contest.entrants:
        groups.setdefault(data_text(given(entrant, contest)), []).append(entrant)
    return sorted(groups.items(), key=lambda item: "label" not in item[0])


def given(entrant: Entrant, contest: Contest) -> Data:
    """Return the data that an entrant was given.

    One that failed before it took anything is held for given what the same method, or the same
    configuration of it, took elsewhere on the problem.
    """
    boundary = any(e.sees.get("boundary") for e in contest.entrants)
    same = [e for e in contest.entrants if e.key.label == entrant.key.label]
    kin = [e for e in contest.entrants if e.record.method == entrant.record.method]
    sees = next((e.sees for e in (entrant, *same, *kin) if e.sees), {})
    return data_seen(sees, boundary)


def part_of(contest: Contest, errors: Sequence[float] = ()) -> Part:
    """Return what a problem contributes to tables and figures over problems.

    Args:
        contest: the problem.
        errors: instances of the performance profile; by default what was reached on it.
    """
    conditions = audit(contest.entrants)
    places = {id(entrant): place for place, entrant in enumerate(contest.entrants)}
    every = [course for course in courses(contest.entrants) if not course.targeted]
    met: dict[Key, Terms] = {}
    rekeyed = []
    for course in every:
        whatever = replace(course.key, budget="")  # problems may have budgets of their own
        alone = [replace(c.key, budget="") for c in every].count(whatever) == 1
        key = whatever if alone else course.key
        data = given(course.entrants[0], contest)
        marks = (m for e in course.entrants for m in conditions.marks[places[id(e)]])
        words = [OTHER_SOURCE if m in conditions.sources else m for m in marks]
        met[key] = Terms(data, course.key.budget, list(dict.fromkeys(words)))
        rekeyed.append(replace(course, key=key))
    return Part(rekeyed, met, list(errors) or usual_errors([contest]))
