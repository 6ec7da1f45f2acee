"""The refusal of a whole file."""


class FileRefused(Exception):
    """The file as a whole cannot be read; `message` says what is wrong, where, and what to do."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.line = code, message, line
