"""What the journal says when the disk did not do what was asked of it."""

from __future__ import annotations


class JournalFailed(Exception):  # noqa: N818  # a fact of the disk, not a mistake of the caller
    """The disk did not take or give what was asked of it."""

    def __init__(
        self,
        path: str,
        reason: str,
        *,
        begun: bool = False,
        foreign: bool = False,
        damaged: bool = False,
    ) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.begun = begun
        """Whether the transaction had begun: alone, other parts of it may then be done."""
        self.foreign = foreign
        """Whether the file is somebody else's: no disk at fault, and no waiting mends it."""
        self.full = False
        """Whether there was no room for it."""
        self.unwritten = False
        """Whether the disk gave an error to whoever wrote; SQLite says so of a quota as well."""
        self.shed = False
        """Whether it was routine, and not even tried: what room is left is for the others."""

        self.damaged = damaged
        """Whether the file is a journal of ours and not as it was written: it can be set aside."""

    def __str__(self) -> str:
        return f"journal {self.path}: {self.reason}"
