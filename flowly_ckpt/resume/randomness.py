"""The states of the random number generators that a program has in use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..errors import StoreWarning, warn

__all__ = ["capture", "reinstate"]


class _Source(NamedTuple):
    get: Callable[[Any], Any]
    set: Callable[[Any, Any], None]


def _get_torch(torch: Any) -> Any:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def _set_torch(torch: Any, state: Any) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state_all(state["cuda"])


_SOURCES = {
    "random": _Source(lambda random: random.getstate(), lambda random, state: random.setstate(state)),
    "numpy.random": _Source(
        lambda random: random.get_state(legacy=False), lambda random, state: random.set_state(state)
    ),
    "torch": _Source(_get_torch, _set_torch),
}


def capture() -> dict[str, Any]:
    """Return the state of every global generator whose module is loaded.

    >>> import random
    >>> "random" in capture()
    True
    """
    return {name: source.get(sys.modules[name]) for name, source in _SOURCES.items() if name in sys.modules}


def reinstate(states: Mapping[str, Any]) -> None:
    """Set the generators to states captured before, so that they continue from there.

    ``reinstate(capture())`` changes nothing.

    >>> import random
    >>> states, first = capture(), random.random()
    >>> reinstate(states)
    >>> random.random() == first
    True
    """
    for name, state in states.items():
        try:
            _SOURCES[name].set(importlib.import_module(name), state)
        except Exception as error:  # noqa: BLE001  another version, another device: the rest can still continue
            text = f"the random numbers of {name} cannot be continued: {type(error).__name__}: {error}"
            warn(text, StoreWarning)
