"""Addresses of nodes as they are given on the command line, checked before anything is written."""

from urllib.parse import SplitResult, urlsplit

from freehold.cli.exits import Usage


def address(text: str, option: str) -> str:
    """A node's address without a slash at its end; Usage, naming the option, for anything else."""
    try:
        parts = urlsplit(text)
        usable = text.isascii() and text.isprintable() and _has_place(parts)
    except ValueError:
        usable = False
    if not usable:
        raise Usage(
            f"{text[:80]!r} is not the address of a node.",
            why=f"{option} takes http:// or https://, a host, and a port if it is not the usual one",
            next=f"write it like {option} http://127.0.0.1:7420",
            now="nothing was written",
        )
    return text.rstrip("/")


def port_of(url: str) -> int | None:
    """The port that the node itself has to listen on; None if none is written, or a proxy stands between."""
    parts = urlsplit(url)
    return parts.port if parts.scheme == "http" else None


def _has_place(parts: SplitResult) -> bool:
    """Whether scheme and host are there and no question; a port that is no number raises ValueError."""
    plain = not parts.query and not parts.fragment and " " not in parts.geturl()
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and plain
