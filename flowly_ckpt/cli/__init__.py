"""The command line: inspect and clear stores of results.

Exit codes: 0 done; 1 ``verify`` found damage; 2 wrong usage, or no store at the path (nothing is touched then).
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..given import seconds, size

__all__ = ["main"]

KEY = "object/tag/transform, of hashes at least the beginning; or the beginning of one of the three, or of a name in it"
SORTS = ("tag", "size", "stored", "unused", "took", "hits", "saved")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    :param arguments: those after the program's name; by default the process's own.

    >>> import contextlib, io
    >>> with contextlib.redirect_stderr(io.StringIO()) as caught:
    ...     code = main(["ls", "/no/such/folder"])
    >>> code, caught.getvalue()
    (2, 'flowly-ckpt: /no/such/folder: no store at this path\\n')
    """
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *rest, **more: _say(message)
            return _run(options)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError) as error:
        return _refuse(str(error))


def _run(options: argparse.Namespace) -> int:
    from .commands import COMMANDS
    from .printing import Printer
    from .stores import open_store

    store = open_store(options.path)
    try:
        code = COMMANDS[options.command](store, options, Printer(options.json))
        sys.stdout.flush()
        return code
    finally:
        store.close()


def _refuse(text: str) -> int:
    _say(text)
    return 2


def _as(check: Callable[[str, Any], Any], name: str) -> Callable[[str], Any]:
    """Return a check of an option as argparse takes it."""

    def parsed(text: str) -> Any:
        try:
            return check(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


AGE, SIZE = _as(seconds, "the age"), _as(size, "the size")


class _Version(argparse.Action):
    """Print the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        with suppress(PackageNotFoundError):
            print(f"flowly-ckpt {version('flowly-ckpt')}")
            parser.exit()
        print("flowly-ckpt, run from its source")
        parser.exit()


def _say(text: object) -> None:
    from ..wording import plain

    print(f"flowly-ckpt: {plain(text)}", file=sys.stderr)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"invalid number {text!r}: use 0 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flowly-ckpt",
        description="Inspect and clear stores of results.",
        epilog="exit codes: 0 done, 1 verify found damage, 2 wrong usage or no store at the path (nothing touched)",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = _add(commands, "ls", "list the entries")
    listing.add_argument("--limit", type=_count, help="list at most so many")
    listing.add_argument("--sort", choices=SORTS, help="what comes first: the largest, the latest, …; default by tag")
    show = _add(commands, "show", "show the facts of an entry", criteria=False)
    show.add_argument("key", help=KEY)
    show.add_argument("--value", action="store_true", help="also load and show the value (unpickling can run code)")
    _add(commands, "stats", "count entries, bytes and saved seconds by tag", criteria=False)
    clear = _add(commands, "clear", "delete the entries that meet all criteria")
    clear.add_argument("--all", action="store_true", help="delete all entries")
    clear.add_argument(
        "--stale", action="append", metavar="MODULE[:NAME]", help="only what this pipeline does not find any more, "
        "since its code has changed; the module is imported; can be repeated",
    )  # fmt: skip
    clear.add_argument("--recursive", action="store_true", help="with --all: of every store in and below the folder")
    clear.add_argument("--dry-run", action="store_true", help="only count the entries")
    compare = _add(commands, "why", "say why two entries are not one", criteria=False)
    compare.add_argument(
        "key",
        nargs=2,
        help=KEY,
    )
    collect = _add(commands, "gc", "remove expired entries and leftovers of killed processes", criteria=False)
    collect.add_argument("--max-bytes", type=SIZE, metavar="SIZE",
                         help="evict until no more is kept: 10GB")  # fmt: skip
    collect.add_argument(
        "--older-than",
        type=AGE,
        metavar="TIME",
        help="minimum age of leftovers (default 10min)",
    )
    verify = _add(commands, "verify", "check every entry against its digest", criteria=False)
    verify.add_argument("--repair", action="store_true", help="remove damaged entries, so that they are computed again")
    page = _add(commands, "report", "write a page about the store", criteria=False)
    page.add_argument("-o", "--output", default="store.html", metavar="FILE", help="the file to write (%(default)s)")
    return parser


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, criteria: bool = True
         ) -> argparse.ArgumentParser:  # fmt: skip
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("path", help="the folder of the store")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    if criteria:
        for criterion in ("tag", "object", "transform"):
            parser.add_argument(f"--{criterion}", action="append", help=f"only this {criterion}; can be repeated")
        parser.add_argument("--older-than", type=AGE, metavar="TIME", help="stored before: 30d, 12h, 90s")
        parser.add_argument("--unused-for", type=AGE, metavar="TIME", help="not used for: 30d, 12h, 90s")
    return parser
