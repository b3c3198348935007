"""Environment locks: what was installed where records were made, as pip requirements."""

import re
from collections.abc import Mapping
from typing import Any

from pdebench_lite.analysis.wording import clean
from pdebench_paper.citations import PROGRAM

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*")


def lock(digest: str, environment: Mapping[str, Any]) -> str:
    """Return an environment as a requirements file; the machine stands in comments.

    What is not the name and version of a distribution is a comment too, and so is this program,
    which is installed from its own source.

    Args:
        digest: hash of the environment, as records name it.
        environment: what is stored under that hash.
    """
    installed = environment.get("installed")
    versions = dict(installed) if isinstance(installed, Mapping) else {}
    lines = [f"# environment {clean(digest)}"]
    lines += [
        f"# {clean(name)}: {_words(value)}"
        for name, value in environment.items()
        if name != "installed"
    ]
    lines.append(f"# {PROGRAM}: {clean(versions.pop(PROGRAM, 'unknown'))}, from its source")
    for name, version in versions.items():
        sound = isinstance(version, str) and _VERSION.fullmatch(version)
        named = sound and _NAME.fullmatch(str(name))
        lines.append(f"{name}=={version}" if named else f"# {clean(name)}: {clean(version)}")
    return "\n".join(lines) + "\n"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{clean(k)} {clean(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(clean, value)) or "none"
    return clean(value) if value not in (None, "") else "none"
