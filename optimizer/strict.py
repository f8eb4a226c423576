"""What all typed shapes that dsopt writes are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,2})?$")]
TokS = Annotated[float, Field(ge=0, le=1e12)]


class Strict(BaseModel):
    """Frozen, of known fields and finite numbers alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
