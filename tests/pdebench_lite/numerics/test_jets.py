"""Jets against nested autodiff of both backends, closed forms, and the laws of algebra."""

import math
import subprocess
import sys
from itertools import pairwise, product

import array_api_compat
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdebench_lite.numerics import jets

jax.config.update("jax_enable_x64", True)

N = 7
NU = 0.01 / math.pi
AS = {"numpy": np.asarray, "torch": torch.as_tensor, "jax": jnp.asarray}
XP = {"numpy": np, "torch": array_api_compat.array_namespace(torch.ones(1)), "jax": jnp}
BURGERS = jets.space(("x", "t"), ("x", "xx", "t"))
RNG = np.random.default_rng(0)

# What nested autodiff can differentiate and jets can too, in the words of any namespace.
FUNCTIONS = {
    "tanh": lambda xp, x, t: xp.tanh(x * t + 0.3 * x - 1.2 * t),
    "sin exp": lambda xp, x, t: xp.sin(math.pi * x) * xp.exp(-0.4 * t * x),
    "quotient": lambda xp, x, t: xp.cos(x * t) / (2.0 + x * x) - 1.0 / (x - 3.0) + x / 2,
    "log sqrt": lambda xp, x, t: xp.log(2.0 + x * t) * xp.sqrt(2.5 + x + t),
    "powers": lambda xp, x, t: (x + 2) ** 3 * (t + 2) ** -2 + (x + t + 3) ** 1.7 - (x * t) ** 5,
    "hyperbolic": lambda xp, x, t: xp.sinh(x - t) * xp.cosh(0.5 * x * t) - (2.0 - x),
    "composed": lambda xp, x, t: xp.exp(xp.sin(xp.tanh(x) + t)) ** 0.5 / xp.sqrt(xp.cosh(x * t)),
}


def words(variables: str, order: int) -> list[str]:
    """All derivatives up to an order, as sorted words."""
    letters = [w for k in range(order + 1) for w in product(sorted(variables), repeat=k)]
    return sorted({"".join(sorted(w)) for w in letters}, key=lambda w: (len(w), w))


def points(names: str, dtype=np.float64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {name: rng.uniform(-0.9, 0.9, N).astype(dtype) for name in names}


def jitted(function, *arguments):
    """The result under jax.jit, with little time spent on optimising what runs once."""
    quickly = {"xla_backend_optimization_level": 0}
    return jax.jit(function).lower(*arguments).compile(quickly)(*arguments)


def nested_jax(function, at, names):
    """Nested forward mode: the derivative tensors of all orders, the lower ones as by-products."""

    def tower(z, order):
        if order == 0:
            return function(z), (function(z),)
        derivative, lower = jax.jacfwd(lambda z: tower(z, order - 1), has_aux=True)(z)
        return derivative, (*lower, derivative)

    letters, order = list(at), max(map(len, names))
    z = jnp.stack([jnp.asarray(a) for a in at.values()], axis=-1)
    _, tensors = jitted(jax.vmap(lambda z: tower(z, order)), z)
    return {w: tensors[len(w)][(slice(None), *map(letters.index, w))] for w in names}


def nested_torch(function, at, names):
    """Nested reverse mode."""
    leaves = {v: torch.tensor(a, requires_grad=True) for v, a in at.items()}
    known = {"": function(*leaves.values())}
    prefixes = {w[:k] for w in names for k in range(1, len(w) + 1)}
    for w in sorted(prefixes, key=len):
        (known[w],) = torch.autograd.grad(
            known[w[:-1]].sum(), leaves[w[-1]], create_graph=True, materialize_grads=True
        )
    return {w: known[w].detach() for w in names}


def assert_same(found, wanted, tolerance=1e-12):
    assert list(found) == list(wanted)
    for name, b in wanted.items():
        a, b = np.asarray(found[name]), np.asarray(b)
        assert a.shape == b.shape, name
        error = np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-3)
        assert error < tolerance, f"{name}: {error:.1e}"


def by_jets(backend, function, at, names):
    space = jets.space(tuple(at), names)
    x = jets.variables(space, {v: AS[backend](a) for v, a in at.items()})
    return jets.derivatives(function(jets, *x.values()), names)


@pytest.mark.parametrize("name", FUNCTIONS)
class TestAgainstNestedAutodiff:
    names = words("xt", 4)

    @pytest.mark.slow
    def test_jax(self, name):
        f, at = FUNCTIONS[name], points("xt")
        wanted = nested_jax(lambda z: f(jnp, z[0], z[1]), at, self.names)
        assert_same(by_jets("jax", f, at, self.names), wanted)
        assert_same(by_jets("numpy", f, at, self.names), wanted)

    def test_torch(self, name):
        f, at = FUNCTIONS[name], points("xt")
        wanted = nested_torch(lambda x, t: f(XP["torch"], x, t), at, self.names)
        assert_same(by_jets("torch", f, at, self.names), wanted)


@pytest.mark.parametrize(
    ("name", "in_jax", "in_torch"),
    [
        ("sigmoid", jax.nn.sigmoid, torch.sigmoid),
        ("silu", jax.nn.silu, torch.nn.functional.silu),
        ("softplus", jax.nn.softplus, torch.nn.functional.softplus),
        ("gelu", jax.nn.gelu, lambda z: torch.nn.functional.gelu(z, approximate="tanh")),
        ("square", jnp.square, torch.square),
    ],
)
def test_activations(name, in_jax, in_torch):
    at, names = points("xt"), ["", "x", "xx", "xt", "xxt", "xxxt"]
    found = {
        backend: by_jets(backend, lambda xp, x, t: getattr(xp, name)(3.0 * x * t - x), at, names)
        for backend in AS
    }
    wanted = nested_jax(lambda z: in_jax(3.0 * z[0] * z[1] - z[0]), at, names)
    for backend in AS:
        assert_same(found[backend], wanted)
    # torch's own silu and gelu do not differentiate often enough to serve beyond the second order
    low = names[:4]
    wanted = nested_torch(lambda x, t: in_torch(3.0 * x * t - x), at, low)
    assert_same({w: found["torch"][w] for w in low}, wanted)


def network(variables: int, hidden: tuple[int, ...] = (20, 20, 20), dtype=np.float64):
    widths = (variables, *hidden, 1)
    rng = np.random.default_rng(1)
    return [
        (rng.normal(size=(o, i)).astype(dtype) / dtype(i**0.5), rng.normal(size=o).astype(dtype))
        for i, o in pairwise(widths)
    ]


def apply(weights, h, linear, tanh):
    """A tanh network, on jets or arrays."""
    for w, b in weights[:-1]:
        h = tanh(linear(w, h, b))
    return linear(*weights[-1][:1], h, weights[-1][1])[0]


def on_arrays(xp):
    def linear(w, h, b):
        return w @ h + (b if h.ndim == 1 else b[:, None])

    return lambda weights, *coordinates: apply(weights, xp.stack(coordinates), linear, xp.tanh)


def on_jets(weights, *coordinates):
    return apply(weights, jets.stack(coordinates), jets.linear, jets.tanh)


def to(backend, weights):
    return [(AS[backend](w), AS[backend](b)) for w, b in weights]


@pytest.mark.parametrize(
    "names",
    [
        ("xxxx", "x"),
        ("xxt", "tt"),
        ("xyy", "ttt"),
        ("xy", "yzt", "xyzt", "xx", "tt", "zzz"),
    ],
)
def test_networks(names):
    letters = "".join(sorted(set("".join(names)), key="xyzt".index))
    at, weights = points(letters), network(len(letters), (12, 9))
    wanted = nested_torch(lambda *x: on_arrays(torch)(to("torch", weights), *x), at, names)
    for backend in AS:
        assert_same(by_jets(backend, network_on_jets(backend, weights), at, names), wanted)
    if len(letters) == 2:  # beyond that compilation of the nested derivatives takes long
        wanted = nested_jax(lambda z: on_arrays(jnp)(to("jax", weights), *z), at, names)
        assert_same(by_jets("jax", network_on_jets("jax", weights), at, names), wanted)


def network_on_jets(backend, weights):
    return lambda _, *x: on_jets(to(backend, weights), *x)


def burgers(d):
    return d["t"] + d[""] * d["x"] - NU * d["xx"]


def jets_loss(weights, x, t):
    at = jets.variables(BURGERS, {"x": x, "t": t})
    d = jets.derivatives(on_jets(weights, at["x"], at["t"]), ("", "x", "xx", "t"))
    return (burgers(d) ** 2).mean()


class TestGradientsOfTheWeights:
    weights = network(2)
    at = points("xt")

    def test_jax(self):
        def nested(weights, x, t):
            def u(x, t):
                return on_arrays(jnp)(weights, x, t)

            def residual(x, t):
                u_x = jax.grad(u, 0)
                d = {"": u(x, t), "x": u_x(x, t), "t": jax.grad(u, 1)(x, t)}
                return burgers(d | {"xx": jax.grad(u_x, 0)(x, t)})

            return (jax.vmap(residual)(x, t) ** 2).mean()

        arguments = (to("jax", self.weights), self.at["x"], self.at["t"])
        found = jitted(jax.grad(jets_loss), *arguments)
        wanted = jitted(jax.grad(nested), *arguments)
        leaves = jax.tree.leaves
        assert_same(dict(enumerate(leaves(found))), dict(enumerate(leaves(wanted))))

    def test_torch(self):
        def nested(weights, x, t):
            x, t = x.requires_grad_(), t.requires_grad_()
            u = on_arrays(torch)(weights, x, t)
            u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
            (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
            return (burgers({"": u, "x": u_x, "t": u_t, "xx": u_xx}) ** 2).mean()

        gradients = []
        for loss in (jets_loss, nested):
            weights = [tuple(a.requires_grad_() for a in layer) for layer in self.port()]
            x, t = (torch.tensor(self.at[v]) for v in "xt")
            loss(weights, x, t).backward()
            gradients.append(
                {(i, k): a.grad for i, w in enumerate(weights) for k, a in enumerate(w)}
            )
        assert_same(*gradients)

    def port(self):
        return [(torch.tensor(w), torch.tensor(b)) for w, b in self.weights]

    def test_vmap_in_jax(self):
        """Over a batch of weights, and over points taken one at a time."""
        weights = to("jax", network(2, (5,)))
        x, t = (jnp.asarray(self.at[v]) for v in "xt")
        batch = jax.tree.map(lambda a: jnp.stack([2.0 * a, a]), weights)
        losses = jitted(jax.vmap(jets_loss, in_axes=(0, None, None)), batch, x, t)
        np.testing.assert_allclose(losses[1], jets_loss(weights, x, t), rtol=1e-13)
        pointwise = jitted(jax.vmap(jets_loss, in_axes=(None, 0, 0)), weights, x, t)
        np.testing.assert_allclose(pointwise.mean(), losses[1], rtol=1e-13)

    @pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own
    @pytest.mark.parametrize(
        "compiler", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)]
    )
    def test_compiled_torch(self, compiler):
        torch._dynamo.reset()
        x, t = (torch.tensor(self.at[v]) for v in "xt")
        compiled = torch.compile(jets_loss, fullgraph=True, backend=compiler)
        gradients = []
        for loss in (compiled, jets_loss):
            weights = [tuple(torch.nn.Parameter(a) for a in layer) for layer in self.port()]
            loss(weights, x, t).backward()
            gradients.append(
                {(i, k): a.grad for i, w in enumerate(weights) for k, a in enumerate(w)}
            )
        assert_same(*gradients)

    @pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
    def test_every_function_compiles_in_torch(self):
        def f(x, t, nu, k):
            at = jets.variables(BURGERS, {"x": x, "t": t})
            x, t = at["x"], at["t"]
            h = jets.concat([jets.stack([jets.sin(math.pi * x), x, t]), jets.stack([2.0 * t])])
            for name in ("sigmoid", "silu", "softplus", "gelu", "exp", "cos", "sinh", "cosh"):
                h = getattr(jets, name)(0.1 * h)
            a, *_ = jets.log(2.0 + jets.sqrt(1.0 + h**2) / (1.5 + jets.tanh(h)) ** 1.5)
            u = nu * a - jets.constant(BURGERS, k) * x + 1
            return jets.derivatives(u, ("", "x", "xx", "t"))

        torch._dynamo.reset()
        x, t = (torch.tensor(self.at[v]) for v in "xt")
        compiled = torch.compile(f, fullgraph=True, backend="eager")  # Dynamo is what may fail
        assert_same(compiled(x, t, 0.3, t), f(x, t, 0.3, t))


class TestClosedForms:
    @pytest.mark.parametrize("backend", AS)
    def test_exponential(self, backend):
        a, b, at = 1.3, -0.7, points("xt")
        names = words("xt", 4)
        found = by_jets(backend, lambda xp, x, t: xp.exp(a * x + b * t), at, names)
        value = np.exp(a * at["x"] + b * at["t"])
        wanted = {w: a ** w.count("x") * b ** w.count("t") * value for w in names}
        assert_same(found, wanted, 1e-14)

    def test_letters_come_in_any_order(self):
        at = points("xt")
        found = by_jets("numpy", lambda _, x, t: x**3 * t, at, ("xxt", "txx", "xtx"))
        assert_same(found, dict.fromkeys(found, 6 * at["x"]), 1e-14)

    def test_polynomials_at_zero(self):
        space = jets.space("x", ("xxxx",))
        x = jets.variables(space, {"x": np.zeros(2)})["x"]
        names = ("", "x", "xx", "xxx", "xxxx")
        for n in range(5):
            found = jets.derivatives(x**n + 0.0 * x, names)
            assert [float(a[0]) for a in found.values()] == [
                math.factorial(n) * (n == k) for k in range(5)
            ]
        x = jets.variables(jets.space("x", ("xx",)), {"x": np.zeros(2)})["x"]
        found = jets.derivatives(x**2.5, names[:3])
        assert [float(a[0]) for a in found.values()] == [0.0, 0.0, 0.0]

    def test_saturated_activations_do_not_overflow(self):
        space = jets.space("x", ("xx",))
        x = jets.variables(space, {"x": np.array([-800.0, 800.0], np.float32)})["x"]
        for name, value in {"sigmoid": [0, 1], "softplus": [0, 800], "silu": [0, 800]}.items():
            u = getattr(jets, name)(x)
            np.testing.assert_array_equal(u.value, value)
            np.testing.assert_array_equal(u.derivative("xx"), [0, 0])

    def test_numbers_stay_numbers(self):
        k = jets.constant(BURGERS, 2)
        x = jets.variables(BURGERS, {"x": 0.5})["x"]
        for name in ("sin", "exp", "log", "sqrt", "tanh", "sigmoid", "softplus", "gelu"):
            assert type(getattr(jets, name)(k * x).derivative("xx")) is float
        assert (k * x).derivative("x") == 2.0
        assert (k * x).derivative("t") == 0.0
        assert jets.softplus(x).value == pytest.approx(math.log(1 + math.exp(0.5)))


class TestSparsity:
    def test_nothing_outside_the_closure(self):
        assert BURGERS.names == ("", "x", "t", "xx")
        assert jets.space("xt", ("xxt",)).names == ("", "x", "t", "xx", "xt", "xxt")
        assert jets.space(("x",), ()).names == ("",)

    def test_absent_coefficients_are_skipped(self):
        at = jets.variables(BURGERS, points("xt"))
        assert keys(at["x"]) == {"", "x"}
        assert keys(jets.tanh(at["x"])) == {"", "x", "xx"}
        assert keys(jets.sin(at["t"]) * jets.exp(at["t"])) == {"", "t"}
        assert keys(at["x"] * at["t"]) == {"", "x", "t"}  # x·t has u_xt, which nobody asked for
        assert keys(jets.constant(BURGERS, np.ones(N)) / (1.0 + at["t"])) == {"", "t"}
        h = jets.stack([at["x"], at["t"]])
        assert {a: c.shape for a, c in h.coefficients.items()} == {
            (0, 0): (2, N), (1, 0): (2, 1), (0, 1): (2, 1),
        }  # fmt: skip
        assert keys(jets.stack([at["x"], jets.square(at["x"])])) == {"", "x", "xx"}

    def test_a_variable_without_derivatives_is_a_constant(self):
        at = jets.variables(jets.space("xt", ("xx",)), points("xt"))
        assert keys(jets.exp(at["x"] * at["t"])) == {"", "x", "xx"}

    def test_one_matrix_product_per_coefficient(self):
        class Weight:
            shapes: list[tuple[int, ...]] = []  # noqa: RUF012

            def __matmul__(self, c):
                self.shapes.append(c.shape)
                return np.ones((3, 2)) @ c

        at = jets.variables(BURGERS, points("xt"))
        h = jets.linear(Weight(), jets.stack([at["x"], at["t"]]), np.arange(3.0))
        assert Weight.shapes == [(2, N), (2, 1), (2, 1)]
        assert keys(h) == {"", "x", "t"}
        np.testing.assert_array_equal(h.derivative("x"), np.ones((3, N)))

    def test_zeros_are_made_on_demand(self):
        u = jets.variables(BURGERS, points("xt"))["t"]
        np.testing.assert_array_equal(u.derivative("xx"), np.zeros(N))
        np.testing.assert_array_equal(jets.ones_like(u).value, np.ones(N))
        assert keys(jets.zeros_like(u)) == {""}


def keys(jet):
    return {name for name in jet.space.names if jet.space.index(name) in jet.coefficients}


class TestShapes:
    def test_rows_columns_and_iteration(self):
        at = jets.variables(BURGERS, points("xt"))
        h = jets.stack([at["x"], at["t"], at["x"] * at["t"]])
        x, t, both = h
        np.testing.assert_array_equal(x.derivative("x"), np.ones(N))
        np.testing.assert_array_equal(both.derivative("t"), x.value)
        assert t.shape == (N,)
        assert h[:2, 3:].derivative("x").shape == (2, N - 3)
        np.testing.assert_array_equal(h[1, 2].derivative("t"), 1.0)
        assert repr(x) == f"Jet(shape=({N},), coefficients=['', 'x', 't'])"

    @pytest.mark.parametrize("backend", AS)
    def test_putting_together(self, backend):
        at = jets.variables(BURGERS, {v: AS[backend](a) for v, a in points("xt").items()})
        x, t = at["x"], at["t"]
        blocks = jets.concat([jets.stack([x, t]), jets.stack([jets.cos(x), 2.0 * t])])
        whole = jets.stack([x, t, jets.cos(x), 2.0 * t])
        last = jets.stack([x, t, jets.cos(x), 2.0 * t], axis=-1)
        for name in BURGERS.names:
            a, b, c = (np.asarray(jet.derivative(name)) for jet in (blocks, whole, last))
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(c, b.T)
        mixed = jets.stack([x, jets.constant(BURGERS, 1.0), jets.constant(BURGERS, t.value[:1])])
        assert mixed.shape == (3, N)

    def test_features_that_broadcast(self):
        """A layer on (2, n) whose derivative in x was known as a number, or once for all rows."""
        at = jets.variables(BURGERS, points("xt"))
        rows = jets.constant(BURGERS, np.arange(2.0 * N).reshape(2, N))
        weight = np.array([[2.0, 3.0]])
        for u, slope in ((at["x"], 1.0), (jets.square(at["x"]), 2.0 * at["x"].value)):
            h = jets.linear(weight, rows + u)
            np.testing.assert_allclose(h.derivative("x")[0], 5.0 * slope + np.zeros(N))

    def test_a_single_point(self):
        at = jets.variables(BURGERS, {"x": np.array(0.5), "t": np.array(0.25)})
        h = jets.linear(np.ones((3, 2)), jets.stack([at["x"], at["t"]]), np.arange(3.0))
        np.testing.assert_array_equal(h.value, 0.75 + np.arange(3.0))
        np.testing.assert_array_equal(h.derivative("x"), np.ones(3))


@pytest.mark.parametrize("backend", AS)
def test_float32_stays_float32(backend):
    def u(at, weights):
        x = jets.variables(BURGERS, at)
        u = np.float64(0.3) * on_jets(weights, *x.values()) ** 1.5 / 2 - np.float64(1.0)
        for name in ("sigmoid", "silu", "softplus", "gelu", "sin", "exp", "log", "sqrt", "tanh"):
            u = u + getattr(jets, name)(2.0 + x["x"] * x["t"]) * NU
        return jets.derivatives(u, BURGERS.names)

    at = {v: AS[backend](a) for v, a in points("xt", np.float32).items()}
    arguments = (at, to(backend, network(2, (5,), np.float32)))
    found = jax.eval_shape(u, *arguments) if backend == "jax" else u(*arguments)
    assert {a.dtype for a in found.values()} == {at["x"].dtype}


@pytest.mark.parametrize("backend", AS)
def test_jets_are_arrays_to_code_that_asks_for_the_namespace(backend):
    def ansatz(x, t, n):
        xp = array_api_compat.array_namespace(x)
        return -xp.sin(math.pi * x) + t * n

    at = {v: AS[backend](a) for v, a in points("xt").items()}
    x = jets.variables(BURGERS, at)
    found = ansatz(x["x"], x["t"], jets.tanh(x["x"]))
    np.testing.assert_array_equal(found.value, ansatz(at["x"], at["t"], XP[backend].tanh(at["x"])))
    assert_same({"t": found.derivative("t")}, {"t": np.tanh(points("xt")["x"])})


class TestErrors:
    x = jets.variables(BURGERS, points("xt"))["x"]

    def test_unknown_variable(self):
        with pytest.raises(ValueError, match="unknown variable y: this space has x, t"):
            jets.variables(BURGERS, {"x": 0.0, "y": 0.0})
        with pytest.raises(ValueError, match="'xy' names the unknown variable y"):
            jets.space(("x", "t"), ("xy",))

    @pytest.mark.parametrize("name", ["tt", "xt", "xxx", "y", "xy"])
    def test_derivative_outside_the_truncation(self, name):
        with pytest.raises(ValueError, match=rf"'{name}' is not kept .*\('', 'x', 't', 'xx'\)"):
            self.x.derivative(name)

    @pytest.mark.parametrize("names", [("x", "x"), ("x1", "t"), ("",)])
    def test_names_of_variables(self, names):
        with pytest.raises(ValueError, match="different single letters"):
            jets.space(names, ())

    @pytest.mark.parametrize("backend", AS)
    def test_arrays_beside_jets(self, backend):
        array = AS[backend](np.ones(N))
        for operation in (
            lambda a, b: a + b,
            lambda a, b: a - b,
            lambda a, b: a * b,
            lambda a, b: a / b,
        ):
            for pair in ((array, self.x), (self.x, array)):
                with pytest.raises(TypeError, match=r"wrap it with jets\.constant"):
                    operation(*pair)
        with pytest.raises(TypeError, match=r"wrap it with jets\.constant"):
            jets.sin(array)
        with pytest.raises(TypeError, match="must be a Python int or float"):
            self.x**array

    def test_powers_of_jets(self):
        with pytest.raises(TypeError, match=r"jets\.exp\(b \* jets\.log\(a\)\)"):
            self.x**self.x

    def test_different_spaces(self):
        other = jets.variables(jets.space(("x",), ("x",)), {"x": np.ones(N)})["x"]
        with pytest.raises(ValueError, match="different spaces do not mix"):
            self.x + other
        with pytest.raises(ValueError, match="different spaces do not mix"):
            jets.stack([self.x, other])

    def test_equal_spaces_are_one(self):
        assert jets.space(["x", "t"], ["xx", "t"]) == BURGERS
        assert hash(jets.space(["x", "t"], ["xx", "t"])) == hash(BURGERS)

    def test_numbers_have_no_features(self):
        number = jets.constant(BURGERS, 1.0)
        with pytest.raises(ValueError, match="none of the jets to put together holds an array"):
            jets.stack([number])
        with pytest.raises(ValueError, match="needs features"):
            jets.linear(np.ones((1, 1)), number)


def test_importing_jets_imports_no_backend():
    code = (
        "import sys; from pdebench_lite.numerics import jets; "
        "assert not {'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------------------ properties

SPACES = st.sampled_from(
    [
        jets.space("x", ("xxxx",)),
        BURGERS,
        jets.space("xt", ("xxt", "ttt")),
        jets.space("xyt", ("xyt", "xx", "yy")),
    ]
)
NUMBERS = st.floats(-1.5, 1.5, width=32)


@st.composite
def random_jets(draw, count=2):
    """Jets of one space with values in [0.5, 2]; some coefficients absent, some broadcast."""
    space = draw(SPACES)
    return [
        jets.Jet(
            space,
            {space.indices[0]: np.array(draw(st.lists(st.floats(0.5, 2), min_size=2, max_size=2)))}
            | {
                a: np.array(draw(st.lists(NUMBERS, min_size=1, max_size=2)))
                for a in space.indices[1:]
                if draw(st.booleans())
            },
        )
        for _ in range(count)
    ]


def assert_equal_jets(a, b):
    for name in a.space.names:
        np.testing.assert_allclose(a.derivative(name), b.derivative(name), rtol=1e-9, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(random_jets(count=3))
def test_algebra(abc):
    a, b, c = abc
    assert_equal_jets((a * b) / b, a)
    assert_equal_jets(a * b, b * a)
    assert_equal_jets(a * (b - c), -c * a + a * b)
    assert_equal_jets((a * b) * c, a * (b * c))
    assert_equal_jets(a * a, a * (a + 0.0))
    assert_equal_jets(a**3, a * a * a)
    assert_equal_jets(a**-2, 1.0 / (a * a))
    assert_equal_jets(2.0 - a, -(a - 2.0))


@settings(max_examples=40, deadline=None)
@given(random_jets(count=2))
def test_identities_of_functions(ab):
    a, b = ab
    one = jets.ones_like(a)
    assert_equal_jets(jets.square(jets.sin(a)) + jets.square(jets.cos(a)), one)
    assert_equal_jets(jets.square(jets.cosh(a)) - jets.square(jets.sinh(a)), one)
    assert_equal_jets(jets.sinh(a) / jets.cosh(a), jets.tanh(a))
    assert_equal_jets(jets.exp(a + b), jets.exp(a) * jets.exp(b))
    assert_equal_jets(jets.log(a * b), jets.log(a) + jets.log(b))
    assert_equal_jets(jets.square(jets.sqrt(a)), a)
    assert_equal_jets(a**1.5, jets.exp(1.5 * jets.log(a)))
    assert_equal_jets(jets.sigmoid(a), 1.0 / (1.0 + jets.exp(-a)))
    assert_equal_jets(jets.softplus(a), jets.log(1.0 + jets.exp(a)))
    assert_equal_jets(jets.sin(a + b), jets.sin(a) * jets.cos(b) + jets.cos(a) * jets.sin(b))


@settings(max_examples=40, deadline=None)
@given(random_jets(count=2))
def test_leibniz(ab):
    a, b = ab
    for name in (a * b).space.names:
        alpha = a.space.index(name)
        terms = [
            math.prod(math.comb(k, i) for k, i in zip(alpha, beta, strict=True))
            * a.derivative(word(a.space, beta))
            * b.derivative(word(a.space, [k - i for k, i in zip(alpha, beta, strict=True)]))
            for beta in product(*(range(k + 1) for k in alpha))
        ]
        np.testing.assert_allclose((a * b).derivative(name), sum(terms), rtol=1e-10, atol=1e-9)


def word(space, alpha):
    return "".join(v * k for v, k in zip(space.variables, alpha, strict=True))


@given(st.lists(st.text("xyt", max_size=4), max_size=4))
def test_closure(names):
    space = jets.space("xyt", names)
    kept, asked = set(space.indices), [space.index(name) for name in names]
    for alpha in kept:
        below = set(product(*(range(k + 1) for k in alpha)))
        assert below <= kept  # closed
        assert not any(alpha) or any(  # and no larger than it must be
            all(a <= b for a, b in zip(alpha, top, strict=True)) for top in asked
        )
        assert {beta for beta, _ in space.products[alpha]} == below
    assert [sum(a) for a in space.indices] == sorted(map(sum, space.indices))
