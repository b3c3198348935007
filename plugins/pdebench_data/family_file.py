"""A family of instances that somebody else has solved: PDEBench's one-dimensional HDF5 files."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from pdebench_data.layout import Layout, check_instances, read_instances, read_layout
from pdebench_lite.data_files import DataFile
from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.problem import Domain, Face, Interval, Periodic, Problem, Reference
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import Ensemble, FamilyTask


class FileFamily(FamilyTask):
    """Map the first frame to later ones, for instances of the file that were never shown.

    Validation, test and training instances are three parts of one shuffled file; the shuffle
    depends on the number of instances alone.
    """

    class Parameters(FamilyTask.Parameters):
        """Sizes of the parts, and the frames that are asked."""

        frames: int = Field(1, ge=1, le=10_000, description="frames to the last one, all asked")
        every: int = Field(1, ge=1, le=10_000, description="takes every n-th cell")

    name = "family"
    summary = "given solved instances of a file, find later frames of others"
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2",)
    problem: "PdebenchFile"

    def __init__(self, problem: Problem, parameters: Any) -> None:
        super().__init__(problem, parameters)
        if not problem.parameters.path:
            return
        layout, p = self.problem.layout, parameters
        if p.train + p.validation + p.test > layout.instances:
            raise PdebenchError(
                f"train={p.train}, validation={p.validation} and test={p.test} are more than the "
                f"{layout.instances} instances of '{layout.path}'; give fewer"
            )
        if p.frames >= layout.t.size or (layout.t.size - 1) % p.frames:
            raise PdebenchError(
                f"frames={p.frames} do not divide the {layout.t.size - 1} steps of '{layout.path}'"
            )
        if layout.x.size % p.every or layout.x.size // p.every < 4:
            raise PdebenchError(
                f"every={p.every} does not divide the {layout.x.size} cells of '{layout.path}' "
                "into four or more"
            )

    @property
    def faces(self) -> frozenset[Face]:
        """Data alone: a file says nothing of an equation that could be relied on."""
        return frozenset({"data"}) if self.problem.parameters.path else frozenset()

    @property
    def instances(self) -> int:
        """Size of the training set; none where no file is given."""
        return self.parameters.train if self.problem.parameters.path else 0

    def draw(self, name: str, n: int, rng: np.random.Generator | None = None) -> Ensemble:
        """Read instances of a part; of the training set, those that the data stream chooses."""
        chosen = self._chosen(name, n, rng)
        return read_instances(self.problem.layout, chosen, self._frames, "u", self.parameters.every)

    def check(self, streams: Sequence[Callable[[str], np.random.Generator]]) -> None:
        """Look through all instances that these cells read."""
        if not self.problem.parameters.path:
            return
        p = self.parameters
        parts = [self._chosen("validation", p.validation), self._chosen("test", p.test)]
        parts += [self._chosen("train", p.train, stream("labels")) for stream in streams]
        chosen = np.unique(np.concatenate(parts))
        check_instances(self.problem.layout, chosen, self._frames, p.every)

    def _chosen(self, name: str, n: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the ascending indices of the instances of a part."""
        layout, p = self.problem.layout, self.parameters
        order = generator("pdebench-file", layout.instances).permutation(layout.instances)
        if name == "train":
            assert rng is not None, "training instances are chosen by the data stream"
            return np.sort(rng.permutation(order[p.validation + p.test :])[:n])
        first = 0 if name == "validation" else p.validation
        return np.sort(order[first : first + n])

    @property
    def _frames(self) -> np.ndarray:
        count = self.problem.layout.t.size
        return np.linspace(0, count - 1, self.parameters.frames + 1).round().astype(int)

    @property
    def reference_bound(self) -> float:
        """The bound that the user states, at least the rounding of the file's numbers."""
        rounding = float(np.finfo(self.problem.layout.dtype).eps)
        return max(self.problem.parameters.bound, rounding)


class PdebenchFile(Problem):
    """The instances of a file in PDEBench's layout: 1-D advection or Burgers, periodic.

    Parameters:
        path: the file; its contents are what the problem is, whatever its path.
        bound: relative L2 error of the file's numbers, if it is known. It is not, for files whose
            makers state none: what a table then calls the truth is a simulation.

    Source: Takamoto et al. 2022, PDEBench, NeurIPS Datasets and Benchmarks, arXiv:2210.07182.
    """

    class Parameters(Settings):
        """Which file."""

        path: DataFile | None = Field(None, description="an HDF5 file in PDEBench's 1-D layout")
        bound: float = Field(
            0.0, ge=0, lt=1, description="relative error of its numbers; 0: unknown"
        )

    name = "pdebench-file"
    summary = "a family of solved instances from an HDF5 file of PDEBench"
    citation = """@inproceedings{takamoto2022pdebench,
  author = {Takamoto, Makoto and Praditia, Timothy and Leiteritz, Raphael and MacKinlay, Dan and
            Alesiani, Francesco and Pfl{\\"u}ger, Dirk and Niepert, Mathias},
  title = {{PDEBench}: an extensive benchmark for scientific machine learning},
  booktitle = {Advances in Neural Information Processing Systems (Datasets and Benchmarks Track)},
  year = {2022}, eprint = {2210.07182}, archivePrefix = {arXiv}}"""
    fields = ("u",)
    tasks = (FileFamily,)

    @cached_property
    def layout(self) -> Layout:
        """What the file holds.

        Raises:
            PdebenchError: no file was named, or it is not laid out as PDEBench's are.
        """
        if not self.parameters.path:
            raise PdebenchError('no file: write "pdebench-file[path=FILE.hdf5]"')
        return read_layout(self.parameters.path)

    @cached_property
    def domain(self) -> Domain:
        """The periodic axis around the file's cell centres, and its times."""
        if not self.parameters.path:
            return Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"))
        x, t = self.layout.x, self.layout.t
        half = float(x[1] - x[0]) / 2
        span = (float(x[0]) - half, float(x[-1]) + half)
        return Domain(Interval(x=span), (float(t[0]), float(t[-1])), Periodic("x"))

    def reference(self) -> Reference:
        """Return nothing.

        Raises:
            UnsupportedError: a file holds samples, not a function of points.
        """
        raise UnsupportedError("a file holds samples, which are not a reference between its points")
