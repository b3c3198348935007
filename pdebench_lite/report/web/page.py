"""The page: template, style, scripts and data put into one file that asks for nothing else."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pdebench_lite.analysis.wording import finite

SCRIPTS = (
    "core", "download", "theme", "table", "plot", "leaderboard", "curves", "seeds", "fields",
    "runs", "failures", "environments", "main",
)  # fmt: skip
"""In the order in which they build on each other."""

_INERT = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


@dataclass(frozen=True)
class _Script:
    """A script of the page, and the hash by which its policy lets it run."""

    text: str

    @property
    def allowed(self) -> str:
        digest = b64encode(sha256(self.text.encode("utf-8")).digest()).decode("ascii")
        return f"'sha256-{digest}'"


def page(parts: Mapping[str, Any]) -> str:
    """Return the page as HTML.

    Scripts run by their hashes only, and the page may load nothing (Content Security Policy,
    level 3): whatever a record holds is text.

    Args:
        parts: JSON values by the name under which the page's scripts read them.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

    assets = files("pdebench_lite.report.web") / "assets"
    scripts = list(_scripts(assets))
    plotly = _Script(_script_text(get_plotlyjs()))
    template = Environment(
        loader=PackageLoader("pdebench_lite.report.web", "assets"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    ).get_template("report.html")  # fmt: skip
    return template.render(
        allowed=Markup(" ".join(script.allowed for script in [plotly, *scripts])),
        style=Markup((assets / "style.css").read_text(encoding="utf-8")),
        scripts=[Markup(script.text) for script in scripts],
        plotly=Markup(plotly.text),
        parts={name: Markup(inert_json(value)) for name, value in parts.items()},
        overview=parts["overview"],
    )


def _scripts(assets: Traversable) -> Iterator[_Script]:
    for name in SCRIPTS:
        yield _Script(_script_text((assets / "js" / f"{name}.js").read_text(encoding="utf-8")))


def _script_text(text: str) -> str:
    """Return a script as it stands between its tags.

    Raises:
        ValueError: it would end there early.
    """
    if "</script" in text.lower():
        raise ValueError("a script that holds its own end tag cannot stand in a page")
    return text


def inert_json(value: Any) -> str:
    """Write JSON that no HTML parser can mistake for a tag, and that is ASCII."""
    text = json.dumps(finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_INERT)
