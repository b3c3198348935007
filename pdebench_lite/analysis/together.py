"""Problems of one task taken together, whatever their parameters: one table in place of many."""

from collections.abc import Sequence
from dataclasses import replace

from pdebench_lite.analysis.classical import advice
from pdebench_lite.analysis.comparison import Block, Comparison, ProblemComparison
from pdebench_lite.analysis.entrants import Contest, Source
from pdebench_lite.analysis.fairness import audit
from pdebench_lite.analysis.provenance import measured
from pdebench_lite.analysis.wording import parameter_order, varied_parameters


def by_task(comparison: Comparison, sources: Sequence[Source]) -> Comparison:
    """Take the problems of each task together.

    Standings stay those of their problem: nobody is ranked against a run of another one. The
    conditions are audited over all problems, so that what differs is named in its row.

    Args:
        comparison: what `compare` made of the sources.
        sources: results folders, the user's own first.
    """
    tasks: dict[str, list[ProblemComparison]] = {}
    for problem in comparison.problems:
        tasks.setdefault(problem.contest.label.partition("[")[0], []).append(problem)
    problems = [
        _together(label, found, sources) if len(found) > 1 else found[0]
        for label, found in tasks.items()
    ]
    return replace(comparison, problems=problems)


def _together(
    label: str, problems: Sequence[ProblemComparison], sources: Sequence[Source]
) -> ProblemComparison:
    over = list(dict.fromkeys(name for p in problems for name in p.contest.over))
    records = [record for p in problems for record in p.contest.records]
    parameters = [name for name in varied_parameters(records) if name not in over]
    order = parameter_order(parameters)
    problems = sorted(problems, key=lambda p: order(p.contest.records[0]))
    entrants = [entrant for p in problems for entrant in p.contest.entrants]
    refused = [record for p in problems for record in p.contest.refused]
    left_out = [entrant for p in problems for entrant in p.contest.left_out]
    blocks: dict[str, Block] = {}
    for block in (block for p in problems for block in p.blocks):
        before = blocks.get(block.heading, Block(block.heading, (), ()))
        blocks[block.heading] = Block(
            block.heading,
            (*before.standings, *block.standings),
            (*before.courses, *block.courses),
        )
    lacking = [p.contest for p in problems if p.advice]
    labels = [name for contest in lacking for name in contest.problem_labels]
    own = sources[0]
    return replace(
        problems[0],
        contest=Contest(label, problems[0].contest.metric, entrants, refused, over, left_out),
        blocks=sorted(blocks.values(), key=lambda block: "label" not in block.heading),
        audit=audit(entrants),
        advice=advice(lacking[0], own.store.root, labels) if lacking else None,
        measured=measured(
            [r for e in entrants if e.key.source == own.name for r in e.records], own.environment
        ),
        beside=list(dict.fromkeys(line for p in problems for line in p.beside)),
        parameters=parameters,
    )
