"""Figure: what `pdebench plot` draws, described without loading matplotlib."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pdebench_lite.registry.own_code import load

if TYPE_CHECKING:
    from pdebench_lite.selectors import Settings


@dataclass(frozen=True)
class Figure:
    """A kind of figure: `pdebench plot --figures NAME` draws it, and `pdebench plot` without names.

    Attributes:
        name: its name, which ends the names of its files.
        summary: one line.
        draw: `function(group)`, or "module:function" imported when it is drawn. `group` holds the
            records (`group.records`), their fields and histories (`group.entries`), the problem's
            label, colours (`group.looks`) and the options (`group.options`). It returns a
            matplotlib figure, or None where there is nothing to draw; or yields several `Drawn`.
        Options: the model of its options, given as `NAME[key=value]`; None if it has none.
        per: `problem`: drawn for each problem; `all`: once, from the records of all problems.
    """

    name: str
    summary: str
    draw: Callable[[Any], Any] | str
    Options: "type[Settings] | None" = None
    per: Literal["problem", "all"] = "problem"

    def function(self) -> Callable[[Any], Any]:
        """Return what draws it.

        Raises:
            PdebenchError: the module or the function is not there.
        """
        found: Callable[[Any], Any] = load(self.draw) if isinstance(self.draw, str) else self.draw
        return found

    def options(self, values: dict[str, Any]) -> Any:
        """Return its options, checked.

        Raises:
            PdebenchError: an unknown option or a bad value.
        """
        from pdebench_lite.selectors import Settings, fill

        return fill(self.Options or Settings, values, f"figure {self.name}")
