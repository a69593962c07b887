"""Text as it may stand in a configuration or an agreement."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Words = Annotated[
    str,
    Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,1024}\Z", description="text in one line"),
]
