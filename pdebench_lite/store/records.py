"""Record and the store on disk: one folder per finished cell, whatever its status."""

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pdebench_lite.data_files import without_folders
from pdebench_lite.errors import NewerError, PdebenchError
from pdebench_lite.files import write_whole
from pdebench_lite.store.arrays import synchronise
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.leases import Leases, born, machine
from pdebench_lite.store.locks import locked
from pdebench_lite.store.naming import one_name
from pdebench_lite.version import VERSION, later, made_by_newer

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SCHEMA = 1
RECORD, HISTORY, FIELDS, WEIGHTS, LOG = (
    "record.json",
    "history.parquet",
    "fields.nc",
    "weights.npz",
    "log.txt",
)

START = "cell.json"  # of a workspace: what its child is to run
LEFT = "left"  # of a workspace: its runner was told to stop, whether or not its process lives on
ENVIRONMENTS = "environments"
_NUMBERS = re.compile(r"\[\n[\s\d.,eEnul+-]*\]")  # a list of them, which JSON sets line by line
_MOST_LINES = 10  # of unsound records
_RUNNING, _OLD = ".running", ".old"
_PRIVATE = re.compile(
    rf"(?P<kind>{_RUNNING}|{_OLD})-(?P<cell>\w*)-(?P<pid>\d+)-(?P<born>\w*)@(?P<machine>\w+)-\w+",
    re.ASCII,
)

Status: TypeAlias = Literal["ok", "diverged", "timeout", "out-of-memory", "crashed", "unsupported"]
FAILURES = frozenset({"diverged", "timeout", "out-of-memory", "crashed"})


class Record(BaseModel):
    """One finished cell. Missing is None, never NaN. Times in seconds, memory in 10⁶ bytes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    schema_version: int = SCHEMA
    cell: str = Field(pattern=r"^[0-9a-f]{16}$")  # it names folders
    problem: str
    task: str
    problem_params: dict[str, Any]
    problem_label: str
    method: str
    family: str
    config: dict[str, Any]
    label: str
    backend: str
    dtype: str
    device: str
    seed: int
    budget: Budget
    status: Status
    reason: str = ""
    sees: dict[str, int | bool] = {}
    metrics: dict[str, float | None] = {}
    ranked: list[str] = []
    reference_bound: float | None = None
    reference_kind: str = ""
    carried_bound: float | None = None
    trivial_error: float | None = None  # headline error of zero, or of the mean: the smaller one
    profile: dict[str, list[float]] = {}
    bands: dict[str, dict[str, list[float]]] = {}
    setup_s: float | None = None
    data_s: float | None = None
    compile_s: float | None = None
    train_s: float | None = None
    evaluate_s: float | None = None
    predict_s: float | None = None
    charged_s: float | None = None
    resume_s: float | None = None
    wall_s: float | None = None
    peak_host_mb: float | None = None
    compile_peak_host_mb: float | None = None
    peak_device_mb: float | None = None
    process_device_mb: float | None = None
    params: int | None = None
    steps: int | None = None
    evaluations: int | None = None
    costs: dict[str, int] = {}
    target_reached: bool | None = None
    details: dict[str, Any] = {}
    threads: int | None = None
    processors: int | None = None
    pools: dict[str, int] = {}
    variables: dict[str, str] = {}
    concurrency: int = 1
    resumed: int = 0
    restarted: int = 0
    load_start: float | None = None
    load_end: float | None = None
    steal: float | None = None
    waited: float | None = None
    energy_j: float | None = None
    device_name: str = ""
    environment: str = Field("", pattern=r"^\w{0,64}$")  # it names a file
    fingerprint: dict[str, str] = {}
    started: str = ""
    version: str = ""

    @property
    def rel_l2(self) -> float | None:
        """The relative L2 error over the domain, if it could be computed."""
        return self.metrics.get("rel_l2")

    @property
    def failed(self) -> bool:
        """Whether the cell failed; `unsupported` is not a failure."""
        return self.status in FAILURES

    @property
    def identity(self) -> Cell:
        """The cell that the record is of."""
        return Cell(**{name: getattr(self, name) for name in Cell.model_fields})

    def row(self) -> dict[str, Any]:
        """Return the record as one object of `pdebench table --format json`."""
        values = self.model_dump(mode="json")
        values["schema"] = values.pop("schema_version")
        return {**values, "rel_l2": self.rel_l2}


def record_of(cell: Cell, status: Status, reason: str = "", **values: Any) -> Record:
    """Make the record of a cell, as this version of the program writes it.

    Its reason names data files without their folders.
    """
    reason = without_folders(reason, [cell.problem_params, cell.config])
    about = {**cell.model_dump(), "version": VERSION, **values}
    return Record(cell=cell.hash, status=status, reason=reason, **about)


@dataclass
class Loaded:
    """What a results folder holds: sound records, and a line for each that is not."""

    records: list[Record] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> list[str]:
        """The unsound ones for people: the first of many, and how many more there are."""
        more = len(self.unsound) - _MOST_LINES
        rest = [f"{more} more records"] if more > 1 else self.unsound[_MOST_LINES:]
        return [f"left out: {line}" for line in (*self.unsound[:_MOST_LINES], *rest)]


class Store:
    """A results folder. Reading never changes it; publishing is one atomic rename.

    Args:
        root: the folder; made at the first write.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)

    def folder(self, cell: str) -> Path:
        """Return the folder of a cell by its hash."""
        return self.root / cell

    def read(self, folder: Path) -> Record:
        """Read one record.

        Raises:
            NewerError: a newer version of the program wrote it.
            PdebenchError: the record is missing, truncated or garbage.
        """
        path = f"{folder}/{RECORD}"  # joining paths takes longer than reading, of thousands
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError as error:
            raise PdebenchError(f"{path}: {error.strerror or error}") from None
        try:
            record = Record.model_validate_json(text)
        except ValidationError as error:
            self._refuse_newer(path, text, error)
            problem = _first(error)
        else:
            if record.schema_version != SCHEMA:
                raise made_by_newer(path, f"schema {record.schema_version}, not {SCHEMA}")
            if record.cell == folder.name:
                return record
            problem = f"it is of the cell {record.cell}"
        raise PdebenchError(
            f"{path}: corrupt record ({problem}); pdebench run with the same study runs its cell "
            "again and replaces it"
        )

    def _refuse_newer(self, path: str, text: bytes, error: ValidationError) -> None:
        """Tell a record that a newer version wrote from one that is damaged.

        Raises:
            NewerError: it states another schema or a later version, or has a field more.
        """
        raw = _object(text)
        if raw is None:
            return
        version = raw.get("version") or self._installed(str(raw.get("environment", "")))
        if later(version):
            raise made_by_newer(path, str(version))
        if (schema := raw.get("schema_version", SCHEMA)) != SCHEMA:
            raise made_by_newer(path, f"schema {schema!r}, not {SCHEMA}")
        more = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
        if more:
            raise made_by_newer(path, f"with the field '{'.'.join(map(str, more[0]))}'")

    def _installed(self, digest: str) -> object:
        """Return the version of this program that an environment lists; None if it lists none."""
        listed = self.environment(digest).get("installed") if digest.isalnum() else None
        return listed.get("pdebench-lite") if isinstance(listed, dict) else None

    def newer(self, cells: Iterable[str]) -> str:
        """Say which of some cells has a record or a workspace of a newer version; empty if none.

        Args:
            cells: hashes.
        """
        wanted = set(cells)
        for cell in wanted:
            if (self.folder(cell) / RECORD).exists():
                try:
                    self.read(self.folder(cell))
                except NewerError as error:
                    return str(error)
                except PdebenchError:
                    continue  # a damaged one
        for folder, name in self._left():
            if name["kind"] == _RUNNING and name["cell"] in wanted:
                start = _object(_bytes(folder / START)) or {}
                if later(start.get("version")):
                    return str(made_by_newer(folder / START, str(start["version"])))
        return ""

    def get(self, cell: str) -> Record | None:
        """Return the record of a cell, or None if it is missing or unsound."""
        try:
            return self.read(self.folder(cell))
        except PdebenchError:
            return None

    def load(self) -> Loaded:
        """Read every record, in a stable order; unsound ones are named, never fatal.

        A data file has one name in all of them.

        Raises:
            PdebenchError: the folder cannot be listed.
        """
        loaded = self.load_as_written()
        loaded.records = one_name(loaded.records)
        loaded.records.sort(
            key=lambda r: (
                r.problem_label,
                _FAMILY_ORDER.get(r.family, 9),
                r.label,
                r.backend,
                r.dtype,
                r.device,
                r.seed,
                r.budget.model_dump_json(),
            )
        )
        return loaded

    def load_as_written(self) -> Loaded:
        """Read every record as it stands there, in the order of the folders' names.

        Raises:
            PdebenchError: the folder cannot be listed.
        """
        loaded = Loaded()
        for folder in self._folders():
            try:
                loaded.records.append(self.read(folder))
            except PdebenchError as error:
                loaded.unsound.append(str(error))
        return loaded

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        try:
            folders = sorted(self.root.iterdir(), key=lambda p: p.name)  # paths compare slowly
        except OSError as error:
            raise PdebenchError(f"cannot read '{self.root}': {error.strerror or error}") from None
        return [
            p
            for p in folders
            if not p.name.startswith(".") and p.name != ENVIRONMENTS and p.is_dir()
        ]

    def find(self, name: str) -> Path:
        """Return the folder of the record that a hash, its beginning, or a path names.

        Raises:
            PdebenchError: nothing, or more than one record, is meant.
        """
        if (Path(name) / RECORD).is_file():
            return Path(name)
        if not self.root.is_dir():
            raise PdebenchError(f"no results folder '{self.root}'; name one with --results DIR")
        fitting = [p for p in self._folders() if name and p.name.startswith(name)]
        if len(fitting) == 1:
            return fitting[0]
        problem = "several records begin" if fitting else "no record begins"
        raise PdebenchError(f"{problem} with '{name}' in {self.root}; see: pdebench table -v")

    # ---- writing -----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the folder and check that it can be written.

        Raises:
            PdebenchError: it cannot.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise PdebenchError(
                f"cannot write results to '{self.root}': {error.strerror or error}; "
                "choose another folder"
            ) from None

    def workspace(self, cell: str) -> Path:
        """Make a private folder in which a cell is run before it is published."""
        self.prepare()
        return self._private(_RUNNING, cell)

    def _private(self, kind: str, cell: str) -> Path:
        me = f"{os.getpid()}-{born(os.getpid())}@{machine()}"
        return Path(tempfile.mkdtemp(prefix=f"{kind}-{cell}-{me}-", dir=self.root))

    def _left(self) -> Iterator[tuple[Path, re.Match[str]]]:
        """Yield the private folders of runners that may have died, and what their names say."""
        for folder in sorted(self.root.glob(".*")):
            if (name := _PRIVATE.fullmatch(folder.name)) and folder.is_dir():
                yield folder, name

    def unfinished(self, cell: str) -> list[Path]:
        """Return the workspaces of a cell whose runners have left it, or are not known to live."""
        return [
            folder
            for folder, name in self._left()
            if name["kind"] == _RUNNING
            and name["cell"] == cell
            and (not _lives(name) or (folder / LEFT).exists())
        ]

    def begun(self) -> list[Cell]:
        """Return the cells that have a workspace: that run, or were interrupted."""
        cells = []
        for folder, name in self._left():
            if name["kind"] == _RUNNING:
                with suppress(OSError, ValueError, KeyError, TypeError):
                    start = json.loads((folder / START).read_text(encoding="utf-8"))
                    cells.append(Cell.model_validate(start["cell"]))
        return cells

    def sweep(self) -> None:
        """Remove what runners left that died on this machine; a record put aside comes back.

        The workspace of a cell that has no record yet is kept: the cell goes on from there.
        """
        for folder, name in self._left():
            if name["machine"] != machine() or _lives(name):
                continue
            if name["kind"] == _OLD:
                for record in folder.iterdir():
                    if not self.folder(record.name).exists():
                        record.rename(self.folder(record.name))
            elif not self.folder(name["cell"]).exists():
                continue
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, record: Record, workspace: Path, leases: Leases | None = None) -> Path | None:
        """Write the record into its workspace and rename that into place.

        An older record of the same cell is replaced. What is published outlasts a power cut.

        Args:
            record: the record.
            workspace: what lies next to it.
            leases: those of this runner; where it has lost that of the cell, another runner works
                on it, and this result is dropped.

        Returns:
            The folder of the record; None if it was dropped: that, or a newer version of the
            program has written a record of the cell meanwhile.
        """
        (workspace / RECORD).write_text(_text(record), encoding="utf-8")
        workspace.chmod(0o755)
        for path in (*workspace.iterdir(), workspace):
            synchronise(path)
        target = self.folder(record.cell)
        with locked(self.root):
            if leases is not None and not leases.holds(record.cell):
                return None
            if self.newer([record.cell]):
                return None
            if target.exists():
                old = self._private(_OLD, "")
                target.rename(old / target.name)
                workspace.rename(target)
                shutil.rmtree(old, ignore_errors=True)
            else:
                workspace.rename(target)
        synchronise(self.root)
        return target

    def amend(self, old: Record, new: Record) -> bool:
        """Replace a record by another of the same cell, with what lies next to it left as it is.

        Returns:
            Whether that was done; not if the record on the disk is no longer the old one.

        Raises:
            PdebenchError: the record cannot be written.
        """
        folder = self.folder(old.cell)
        try:
            with locked(self.root):
                now = self.get(old.cell)
                if now is None:
                    return False
                now, old = one_name([now, old])
                if now != old:
                    return False
                write_whole(folder / RECORD, _text(new))
            synchronise(folder)
        except OSError as error:
            raise PdebenchError(f"cannot write '{folder}': {error.strerror or error}") from None
        return True

    def environment(self, digest: str) -> dict[str, Any]:
        """Return a stored environment by its hash; empty if it cannot be read."""
        path = self.root / ENVIRONMENTS / f"{digest}.json"
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stored if isinstance(stored, dict) else {}

    def keep_environment(self, environment: Mapping[str, Any], digest: str) -> None:
        """Store an environment once, under its hash."""
        folder = self.root / ENVIRONMENTS
        path = folder / f"{digest}.json"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(environment, indent=1) + "\n")


def _text(record: Record) -> str:
    text = json.dumps(record.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"
    return _NUMBERS.sub(lambda found: " ".join(found[0].split()), text)


def _lives(name: re.Match[str]) -> bool:
    """Whether the runner that a private folder is named for runs, on this machine."""
    return name["machine"] == machine() and born(int(name["pid"])) == name["born"] != ""


_FAMILY_ORDER = {
    "supervised": 0,
    "physics-informed": 1,
    "differentiable physics": 2,
    "classical": 3,
    "other": 4,
}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _object(text: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a file holds; None if it holds none."""
    try:
        raw = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return ": ".join(part for part in (".".join(map(str, first["loc"])), first["msg"]) if part)


def unreadable(path: Path, error: Exception) -> str:
    """Say in one line that a file next to a record is there and cannot be read."""
    return f"left out: {path}: {' '.join(str(error).split())[:200]}"


def tell_unreadable(path: Path, error: Exception) -> None:
    """Log that a file next to a record cannot be read; without a handler that is stderr."""
    logging.getLogger("pdebench_lite").warning("pdebench: %s", unreadable(path, error))


def load_records(results: str | os.PathLike[str] = "results/runs") -> "pd.DataFrame":
    """Return the records of a results folder as a table, one row per cell.

    Columns are those of `pdebench table --format json`; each metric is a column of its own too.
    """
    loaded = Store(results).load()
    for line in loaded.left_out:
        logging.getLogger("pdebench_lite").warning("pdebench: %s", line)
    return to_frame(loaded.records)


def to_frame(records: Iterable[Record]) -> "pd.DataFrame":
    """Return records as a DataFrame, one row per cell.

    Each metric is a column, and so is each entry of what is nested: `config.width`. Lists of
    numbers stay lists; where a column would hold values of several types, they become JSON text:
    so every format of pandas can hold the table.
    """
    import pandas as pd

    rows = [{**record.row(), **record.metrics} for record in one_name(records)]
    for row in rows:
        del row["metrics"]
    frame = pd.json_normalize(rows)
    for name, column in frame.items():
        if column.dtype == object and not _uniform(column.dropna()):
            frame[name] = column.map(json.dumps, na_action="ignore")
    return frame


def _uniform(values: Iterable[Any]) -> bool:
    """Whether values are all numbers, all texts, all true or false, or all lists of numbers."""
    kinds = {"numbers" if _all_numbers(value) else type(value) for value in values}
    return len(kinds) < 2 and not kinds & {list, dict}


def _all_numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(one) in (int, float) for one in value)


def load_history(folder: str | os.PathLike[str]) -> "pd.DataFrame":
    """Return the history of one record: step, evaluations, charged_s, loss, errors, memory."""
    import pandas as pd

    return pd.read_parquet(Path(folder) / HISTORY)


def load_fields(folder: str | os.PathLike[str]) -> "xr.Dataset":
    """Return the fields of one record, loaded into memory, with named dimensions and units."""
    import xarray as xr

    with xr.open_dataset(Path(folder) / FIELDS, engine="h5netcdf") as dataset:
        return dataset.load()
