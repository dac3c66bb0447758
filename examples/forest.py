"""Pandas and scikit-learn: a table is read and cleaned once, a transformer is fitted once for equal data.

Run it twice: the second run reads nothing and fits nothing. Edit the table, a function or the grid, and only what
depends on it runs again.

    python examples/forest.py [trees.csv]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from flowly_ckpt import DiskTarget, FileContent, Memory, chained, checkpoint, memo, run

results = DiskTarget("forest-results")


def read(path: Path) -> pd.DataFrame:
    """Read the table."""
    print("reading", Path(path).name)
    return pd.read_csv(path)


def clean(trees: pd.DataFrame) -> pd.DataFrame:
    """Drop what was not measured, and add what follows from the rest."""
    print("cleaning")
    return trees.dropna().assign(slenderness=lambda t: t.height / t.girth)


@memo(results, ignore=["jobs"])
def search(trees: pd.DataFrame, *, strengths: tuple[float, ...] = (0.1, 1.0), jobs: int = 1) -> dict[str, float]:
    """Find the best of some models."""
    print("searching")
    steps = [("scale", StandardScaler()), ("reduce", PCA()), ("model", LogisticRegression())]
    grid = {"reduce__n_components": [1, 2], "model__C": list(strengths)}
    found = GridSearchCV(Pipeline(steps, memory=Memory(results)), grid, cv=3, n_jobs=jobs)
    found.fit(trees.drop(columns="old"), trees["old"])
    return {"score": round(float(found.best_score_), 3), **found.best_params_}


def sample(path: Path) -> None:
    """Write a table to try this with."""
    random = np.random.default_rng(7)
    girth = random.uniform(0.5, 3, 300)
    table = {"girth": girth, "height": 5 * girth + random.normal(0, 2, 300), "old": girth > 1.7}
    pd.DataFrame(table).mask(random.random((300, 3)) < 0.01).to_csv(path, index=False)


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "trees.csv")
    if not path.exists():
        sample(path)
    trees = run(chained(read, clean, checkpoint(results, tag="trees")), FileContent(path))
    print(len(trees), "trees")
    print(search(trees.astype({"old": bool})))
