"""The one error of the embedded run."""

from __future__ import annotations


class LocalError(Exception):
    """The run cannot go on. The message is one line that says what to do; an entry point prints it and exits with 1."""


class EndedEarly(LocalError):
    """A server ended before it was ready; the caller may know the cause from its log and try again."""
