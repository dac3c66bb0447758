"""Sizes and times in words, as plans, timings and logs show them."""

from __future__ import annotations

__all__ = ["in_bytes", "in_time"]

UNITS = (
    (1e-4, 1e-6, "µs"),
    (0.1, 1e-3, "ms"),
    (100, 1, "s"),
    (6000, 60, "min"),
    (172_800, 3600, "h"),
    (float("inf"), 86_400, "d"),
)


def in_bytes(size: float) -> str:
    """Return a size in words.

    >>> in_bytes(80), in_bytes(12_345_678)
    ('80 bytes', '12.3 MB')
    """
    if size < 1000:
        return f"{size:.0f} bytes"
    units = ["kB", "MB", "GB", "TB"]
    while (size := size / 1000) >= 999.5 and len(units) > 1:
        del units[0]
    return f"{size:.3g} {units[0]}"


def in_time(seconds: float) -> str:
    """Return a time in words.

    >>> in_time(2e-6), in_time(0.00025), in_time(0.25), in_time(41), in_time(7200), in_time(400_000)
    ('2 µs', '0.25 ms', '0.25 s', '41 s', '2 h', '4.6 d')
    """
    length, unit = next((length, unit) for limit, length, unit in UNITS if seconds < limit)
    value = seconds / length
    return f"{value:.2g} {unit}" if value < 10 else f"{value:.0f} {unit}"
