"""Method `finite-differences`: its settings."""

from typing import Annotated, Literal

from pydantic import Field

from pdebench_lite.selectors import Settings


class FiniteDifferencesSettings(Settings):
    """Settings of `finite-differences`."""

    scheme: Literal["central", "forward"] = Field(
        "central", description="central, error O(h²); or forward, one-sided, error O(h)"
    )
    h: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", description="step; auto: where truncation and rounding balance, ε^(1/(k+p))"
    )
