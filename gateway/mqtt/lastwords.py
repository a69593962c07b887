"""What the MQTT library complained of last: the only place where it says why a link ended."""

from __future__ import annotations

import logging


class LastWords(logging.Handler):
    """The text of the latest error; nothing is written anywhere."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text: str | None = None
        # A logger of its own, and nobody's child: no two links share it, and none prints.
        self.logger = logging.Logger("mqtt", logging.ERROR)  # noqa: LOG001  # see above
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text."""
        self.text = record.getMessage()
