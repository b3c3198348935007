"""Families: sets on a grid, labels, answers that are refused, metrics computed by hand."""

from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from pdebench_lite import Solution
from pdebench_lite.errors import DivergedError, NotGivenError, PdebenchError
from pdebench_lite.problem import Box, Domain
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import Plugin, collect, registry
from pdebench_lite.seeding import generator
from pdebench_lite.tasks import Ensemble

SMALL = "burgers:family[cells=16,frames=2,train=5,validation=2,test=3]"


@pytest.fixture(scope="module")
def task():
    return registry().task(SMALL)


@pytest.fixture
def view(task):
    return View(task, lambda purpose: generator("test", purpose))


def right(task, name="test"):
    truth = task.ensemble(name)
    return Solution(lambda query: truth.later())


def test_labels_and_gather_are_inverse(task, view):
    drawn = task.draw("train", 4, generator("test", "labels"))
    again = Ensemble.gather(view.labels(4), task.problem.domain)
    assert list(again.axes) == ["x", "t"]
    for one, other in (
        (drawn.axes, again.axes),
        (drawn.fields, again.fields),
        (drawn.coefficients, again.coefficients),
    ):
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert view.sees == {"labels": 4}
    assert view.instances == 5


def test_gather_restores_two_axes_of_space():
    rng = np.random.default_rng(0)
    axes = {"x": np.arange(3.0), "y": np.arange(2.0), "t": np.array([0.0, 0.5, 1.0])}
    drawn = Ensemble(axes, {"u": rng.random((4, 3, 2, 3))}, {"k": rng.random(4)})
    domain = Domain(Box(x=(-1, 3), y=(-1, 3)), (0, 1))
    again = Ensemble.gather(drawn.observations(), domain)
    np.testing.assert_array_equal(drawn.fields["u"], again.fields["u"])
    np.testing.assert_array_equal(drawn.coefficients["k"], again.coefficients["k"])


def test_the_query_holds_no_later_state(task):
    query, drawn = task.ensemble("test").query(), task.ensemble("test")
    assert set(query) == {"u", "nu", "x", "t"}
    np.testing.assert_array_equal(query["u"], drawn.fields["u"][..., 0])
    assert query["t"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("n", [0, 6])
def test_no_more_labels_than_there_are(view, n):
    with pytest.raises(PdebenchError, match="has 5; set its parameter train"):
        view.labels(n)


def test_a_view_gives_neither_states_nor_coefficients(view):
    with pytest.raises(NotGivenError, match="does not give its initial_state"):
        view.initial_state({"x": np.zeros(1)})
    assert view.coefficients() == {}
    assert view.equation().known == {}


def test_sets_do_not_overlap(task):
    sets = [task.draw("train", 5, generator("test", "labels"))]
    sets += [task.ensemble(name) for name in ("validation", "test", *task.shifts)]
    nus = np.concatenate([drawn.coefficients["nu"] for drawn in sets])
    assert np.unique(nus).size == nus.size


def test_metrics_by_hand(task):
    def half(query):
        name = next(
            n
            for n in ("validation", "test", *task.shifts)
            if np.array_equal(task.ensemble(n).query()["nu"], query["nu"])
        )
        factor = {"test": 0.5, "viscosity": 0.25}.get(name, 0.9)
        return {"u": factor * task.ensemble(name).later()["u"]}

    evaluation = task.evaluate(Solution(half), "final")
    known = registry()
    scores = {m.name: m.compute(evaluation) for m in known.metrics_for(task)}
    assert scores["rel_l2"] == pytest.approx(0.5)
    assert scores["nrmse"] == pytest.approx(0.5)
    assert scores["rel_l2_viscosity"] == pytest.approx(0.75)
    assert scores["rel_l2_amplitude"] == pytest.approx(0.1)
    assert scores["rel_l2_ood"] == scores["rel_l2_viscosity"]
    truth = task.ensemble("test").later()["u"]
    assert scores["mae"] == pytest.approx(0.5 * np.mean(np.abs(truth)))
    assert scores["instance_s"] > 0
    history = task.evaluate(Solution(half), "history")
    assert known.metric("rel_l2").compute(history) == pytest.approx(0.1)
    assert known.metric("rel_l2_ood").compute(history) is None
    assert known.metric("instance_s").compute(history) is None


def test_nrmse_weighs_instances_alike(task):
    truth = task.ensemble("validation").later()["u"]
    wrong = truth.copy()
    wrong[0] = 0.0
    evaluation = task.evaluate(Solution(lambda query: {"u": wrong}), "history")
    assert registry().metric("nrmse").compute(evaluation) == pytest.approx(1 / 2)


def test_bad_answers_are_refused(task):
    truth = task.ensemble("validation").later()["u"]
    for answer, error, words in (
        ({}, PdebenchError, "lacks the field 'u'"),
        ({"u": truth[..., :1]}, PdebenchError, "has the shape"),
        ({"u": truth * np.nan}, DivergedError, "not finite"),
    ):
        with pytest.raises(error, match=words):
            task.evaluate(Solution(lambda query, answer=answer: answer), "history")


def test_what_is_stored_is_named_by_its_set(task):
    evaluation = task.evaluate(right(task), "final")
    stored = evaluation.arrays()
    dims, values, _ = stored["u_frequency_reference"]
    assert dims == ("frequency_instance", "x", "t")
    np.testing.assert_array_equal(values, task.ensemble("frequency").later()["u"])
    assert stored["nu_test"][0] == ("test_instance",)
    for name, (axes, array, _) in stored.items():
        assert array.ndim == len(axes), name


# ---- in the plane, and without time --------------------------------------------------------------


@pytest.fixture
def toys(monkeypatch):
    """Families in the plane, and the methods."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "toys"))
    names = ("pdebench_methods", "pdebench_classical", "pdebench_walls")
    return collect([(Plugin(n, n), partial(import_module, n)) for n in names])


@pytest.mark.parametrize(
    ("problem", "given", "dims"),
    [
        ("plate", {"f", "x", "y"}, ("test_instance", "x", "y")),
        ("warm-plane", {"u", "x", "y", "t"}, ("test_instance", "x", "y", "t")),
    ],
)
def test_families_in_the_plane(toys, problem, given, dims):
    task = toys.task(f"{problem}[cells=8,train=3,validation=2,test=4]")
    drawn = task.ensemble("test")
    assert set(drawn.query()) == given
    evaluation = task.evaluate(
        Solution(lambda q: {k: 0.9 * v for k, v in task_of(task, q).later().items()}), "final"
    )
    errors = {m.name: m.compute(evaluation) for m in toys.metrics_for(task)}
    assert errors["rel_l2"] == pytest.approx(0.1)
    for name, (axes, array, _) in evaluation.arrays().items():
        assert array.ndim == len(axes), name
    assert evaluation.arrays()["u_test"][0] == dims
    labels = View(task, lambda purpose: generator("d", purpose)).labels(3)
    again = Ensemble.gather(labels, task.problem.domain, task.problem.field_names)
    first = task.draw("train", 3, generator("d", "labels"))
    for one, other in ((first.fields, again.fields), (first.coefficients, again.coefficients)):
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def task_of(task, query):
    """Return the set that a query is of."""
    sets = (task.ensemble(name) for name in ("validation", "test"))
    size = next(iter(query.values())).shape[0]
    return next(drawn for drawn in sets if drawn.size == size)


@pytest.mark.parametrize("method", ["cnn", "mlp", "pinn", "march", "diffphys", "fno"])
@pytest.mark.parametrize(
    ("problem", "why"), [("plate", "stationary"), ("warm-plane", "2 space axes")]
)
def test_a_method_says_why_a_family_is_beyond_it(toys, method, problem, why, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)  # as if all were installed
    described, config = toys.configured(method)
    answer = described.supports(toys.task(problem), config)
    assert not answer.ok
    if not (method == "march" and problem == "plate"):  # has no scheme at all
        assert why in answer.reason
