"""The command line: inspect and clear stores of results.

Exit codes: 0 done; 1 ``verify`` found damage; 2 wrong usage, or no store at the path (nothing is touched then).
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

__all__ = ["main"]

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


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
            warnings.showwarning = lambda message, *rest, **more: print(f"flowly-ckpt: {message}", file=sys.stderr)
            return _run(options)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "rich":
            raise
        return _refuse("tables need rich: run `pip install rich`, or use --json")
    except OSError as error:
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
    print(f"flowly-ckpt: {text}", file=sys.stderr)
    return 2


def _seconds(text: str) -> float:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :]
    if unit not in _UNITS:
        raise argparse.ArgumentTypeError(f"invalid duration {text!r}: use 30d, 12h or 90s")
    try:
        return float(number) * _UNITS[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid duration {text!r}: use 30d, 12h or 90s") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flowly-ckpt",
        description="Inspect and clear stores of results.",
        epilog="exit codes: 0 done, 1 verify found damage, 2 wrong usage or no store at the path (nothing touched)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add(commands, "ls", "list the entries").add_argument("--limit", type=int, help="list at most so many")
    show = _add(commands, "show", "show the facts of an entry", criteria=False)
    show.add_argument("key", help="object/tag/transform, or the beginning of one of the three")
    show.add_argument("--value", action="store_true", help="also load and show the value (unpickling can run code)")
    _add(commands, "stats", "count entries, bytes and saved seconds by tag", criteria=False)
    clear = _add(commands, "clear", "delete the entries that meet all criteria")
    clear.add_argument("--all", action="store_true", help="delete all entries")
    clear.add_argument("--dry-run", action="store_true", help="only count the entries")
    collect = _add(commands, "gc", "remove expired entries and leftovers of killed processes", criteria=False)
    collect.add_argument("--older-than", type=_seconds, metavar="TIME", help="minimum age of leftovers (default 10min)")
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
        parser.add_argument("--older-than", type=_seconds, metavar="TIME", help="stored before: 30d, 12h, 90s")
        parser.add_argument("--unused-for", type=_seconds, metavar="TIME", help="not used for: 30d, 12h, 90s")
    return parser
