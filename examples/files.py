"""Interim results under names that say what they are: word counts of the documents of a folder.

Run it twice: the second run only looks whether the files are there. Remove one of the files it names, and only what
it holds is made again.

    python examples/files.py [--folder working] [--database] [file ...]
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from flowly_ckpt.tasks import Store, flow, gcontext, task


@task(target="{path}/{funcname}/{os.path.basename(document)}.pkl")
def words(document: str) -> list[str]:
    """Split a document into its words."""
    print(f"  reading  {document}")
    return Path(document).read_text(encoding="utf-8", errors="replace").lower().split()


@task(target="{path}/{funcname}/{os.path.basename(found)}")
def counts(found: list[str]) -> Counter[str]:
    """Count words of five letters and more."""
    print(f"  counting {len(found)} words")
    return Counter(word for word in found if word.isalpha() and len(word) > 4)


@task(target="{path}/{funcname}/top-{n:02d}.pkl", changed="rerun")
def commonest(tables: list[Counter[str]], n: int) -> list[tuple[str, int]]:
    """Add up the counts, and take the most frequent words."""
    print(f"  adding up {len(tables)} tables")
    return sum(tables, Counter[str]()).most_common(n)


@flow
def main(documents: list[str], n: int = 5) -> Store:
    """Make every step a file; what comes back is where the last one lies."""
    result: Store = commonest([counts(words(document)) for document in documents], n)
    return result


class Tablestore(Store):
    """Keep results as rows of a database instead of files."""

    def __init__(self, loc: str, engine: Any) -> None:
        super().__init__(loc)
        self.engine = engine

    def _ask(self, text: str, **values: Any) -> Any:
        from sqlalchemy import text as sql

        with self.engine.begin() as connection:
            found = connection.execute(sql(text), {"loc": self.loc, **values})
            return found.fetchone() if found.returns_rows else None

    def save(self, data: Any) -> None:
        """Write the row, whole or not at all."""
        self._ask("insert or replace into results values (:loc, :data)", data=pickle.dumps(data))

    def load(self) -> Any:
        """Read the row."""
        row = self._ask("select data from results where loc = :loc")
        if row is None:
            raise LookupError(f"no result {self.loc}")
        return pickle.loads(row[0])

    def exists(self) -> bool:
        """Look for the row without reading its data."""
        return self._ask("select 1 from results where loc = :loc") is not None


def database(url: str) -> Any:
    """Open a database, with the one table that results are kept in."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("create table if not exists results (loc text primary key, data blob)"))
    return engine


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="The commonest words of some documents, every step kept as a file.")
    parser.add_argument("documents", nargs="*", default=[__file__], help="text files; by default this program")
    parser.add_argument("--folder", default="working", help="where the files go (default: working)")
    parser.add_argument("--database", action="store_true", help="keep the counts in a database (needs sqlalchemy)")
    given = parser.parse_args()
    for document in given.documents:
        if not os.path.isfile(document):
            parser.error(f"{document}: no such file")
    return given


if __name__ == "__main__":
    given = arguments()
    gcontext.path = given.folder
    if given.database:
        os.makedirs(given.folder, exist_ok=True)
        counts = counts.with_options(store=partial(Tablestore, engine=database(f"sqlite:///{given.folder}/results.db")))
    result = main(given.documents)
    for word, number in result.load():
        print(f"{number:5d}  {word}")
    print(f"kept in {result}", file=sys.stderr)
