"""Make a contact sheet of a folder of pictures; what has been done is not done again.

    python examples/images.py                  # draws a few pictures in a temporary folder, then changes some
    python examples/images.py --folder scans   # your own .pgm and .ppm files; results stay in .alkymi_cache beside them

Every picture is read and scaled by itself, so that after a change only the new ones are. Needs numpy.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowly_ckpt.passes import Event, observe
from flowly_ckpt.recipes import AlkymiConfig, Recipe, foreach, glob_files, recipe, statuses, zip_results

Pixels = NDArray[np.uint8]
SIDE = 96  # pixels


def read_picture(path: Path) -> Pixels:
    """Read a binary .pgm or .ppm file as rows × columns × (1 or 3)."""
    data = path.read_bytes()
    kind, *numbers = data.split(maxsplit=4)[:4]
    if kind not in (b"P5", b"P6") or numbers[2:] != [b"255"]:
        raise ValueError(f"{path} is no binary .pgm or .ppm file of 8 bits")
    columns, rows = int(numbers[0]), int(numbers[1])
    depth = 1 if kind == b"P5" else 3
    return np.frombuffer(data[-rows * columns * depth :], np.uint8).reshape(rows, columns, depth)


def scale(picture: Pixels) -> Pixels:
    """Fit a picture into a square, every pixel the mean of those that it stands for."""
    factor = -(-max(picture.shape[:2]) // SIDE)
    rows, columns = (size // factor for size in picture.shape[:2])
    cut = picture[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, -1)
    small = cut.mean(axis=(1, 3)).astype(np.uint8)
    square = np.full((SIDE, SIDE, 3), 32, np.uint8)
    top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
    square[top : top + rows, left : left + columns] = small
    return square


def arrange(squares: list[Pixels]) -> Pixels:
    """Put squares side by side, in about as many rows as columns."""
    columns = max(1, round(len(squares) ** 0.5 + 0.25))
    blank = np.full((SIDE, SIDE, 3), 32, np.uint8)
    rows = [squares[start : start + columns] for start in range(0, len(squares), columns)] or [[blank]]
    return np.vstack([np.hstack(row + [blank] * (columns - len(row))) for row in rows])


def write_png(picture: Pixels, path: Path) -> Path:
    """Write a picture in colours as a .png file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    rows, columns, _ = picture.shape
    lines = np.hstack([np.zeros((rows, 1), np.uint8), picture.reshape(rows, -1)]).tobytes()
    head = columns.to_bytes(4) + rows.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def contact_sheet(folder: Path) -> tuple[Recipe[Path], Recipe[list[tuple[Path, float]]]]:
    """Return two recipes: the sheet of all pictures in a folder as a file, and how bright each picture is."""
    paths = glob_files("paths", folder, "*.p[gp]m")
    pictures = foreach(paths, name="pictures")(read_picture)
    squares = foreach(pictures, name="squares")(scale)

    @foreach(pictures)
    def brightness(picture: Pixels) -> float:
        return float(picture.mean() / 255)

    @recipe([squares])
    def sheet(squares: list[Pixels]) -> Path:
        return write_png(arrange(squares), folder / "sheet.png")

    return sheet, zip_results("report", [paths, brightness])


def draw(path: Path, centre: complex, steps: int = 40) -> None:
    """Draw a Julia set as a .pgm file."""
    plane = np.linspace(-1.6, 1.6, 320)[None, :] + 1j * np.linspace(-1.2, 1.2, 240)[:, None]
    inside = np.zeros(plane.shape, np.uint8)
    for _ in range(steps):
        plane = np.where(abs(plane) < 2, plane**2 + centre, 2)
        inside += abs(plane) < 2
    path.write_bytes(b"P5\n320 240\n255\n" + (inside * (255 // steps)).tobytes())


def show(title: str, folder: Path) -> None:
    """Brew both recipes and tell what ran."""
    sheet, report = contact_sheet(folder)
    before = {made.name: status for made, status in (statuses(sheet) | statuses(report)).items()}
    ran: Counter[str] = Counter()

    def note(event: Event) -> None:
        if (event.of, event.kind) == ("step", "run"):
            ran[event.step.rpartition(".")[2]] += 1

    start = time.perf_counter()
    path = sheet.brew(jobs=2, rewrites=[observe(note)])
    rows = report.brew(jobs=2, rewrites=[observe(note)])
    print(f"{title}: {time.perf_counter() - start:.3f} s")
    print("  before    ", ", ".join(f"{name} {status}" for name, status in before.items()))
    print("  ran       ", ", ".join(f"{name} {count} ×" for name, count in ran.items()) or "nothing")
    brightest = max(rows, key=lambda row: row[1], default=None)
    if brightest is not None:
        print(f"  brightest  {brightest[0].name}, {brightest[1]:.0%} of white")
    print(f"  sheet      {path.name}, {os.path.getsize(path)} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a contact sheet of a folder of pictures.")
    parser.add_argument("--folder", type=Path, help="where .pgm and .ppm files are (default: pictures drawn for it)")
    folder = parser.parse_args().folder
    if folder is not None and not folder.is_dir():
        parser.exit(2, f"{parser.prog}: {folder}: no such folder\n")
    with tempfile.TemporaryDirectory() as drawn:
        place = Path(drawn) if folder is None else folder.resolve()
        AlkymiConfig.get().cache_path = place
        if folder is not None:
            show("contact sheet", place)
            return 0
        for number in range(8):
            draw(place / f"julia{number}.pgm", complex(-0.8 + number / 10, 0.156))
        show("first run", place)
        show("second run", place)
        draw(place / "julia3.pgm", 0.285 + 0.01j)
        draw(place / "julia8.pgm", -0.4 + 0.6j)
        show("after one picture was drawn anew and one added", place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
