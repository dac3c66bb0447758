"""Random programs, changed at random in one process: one key has one result, whatever reads what and is changed how."""

from __future__ import annotations

import sys

import pytest
from programs import Program

from flowly_ckpt import functional_hash
from flowly_ckpt.checkpoint.hashed import Hashed
from flowly_ckpt.hashing.kept import Keeper

PROGRAMS = 15
COSMETICS = [("", ""), ("\n    return", "\n\n    # told\n    return"), (" = ", "  =  "), ("\nclass", "\n\n\nclass")]


def run(module, text):
    exec(compile(text, "users_program.py", "exec", dont_inherit=True), vars(module))


def result(module):
    try:
        return repr(module.step(3))
    except Exception as error:  # noqa: BLE001  whatever a change has left
        return f"raises {type(error).__name__}"


@pytest.mark.parametrize("seed", range(4))
def test_one_key_has_one_result(seed, monkeypatch):
    results = {}
    for number in range(PROGRAMS * seed, PROGRAMS * (seed + 1)):
        program = Program(number)
        module, keeper = program.module, Keeper()
        monkeypatch.setitem(sys.modules, module.__name__, module)
        run(module, program.text())
        before, hows, touched = "", [], True
        for _ in range(program.random.randrange(5, 14)):
            key, told = functional_hash(module.step), f"program {number} after {hows}:\n{program.text()}"
            for _ in range(program.random.randrange(1, 4)):
                assert Hashed(1, [module.step], keeper).steps == [key], told
            found = result(module)
            assert results.setdefault(key, found) == found, told
            assert touched or key == before, f"the step does not lead there: {told}"
            before, read = key, program.reached()
            name, how = program.change()
            touched = name in read | program.reached()
            hows.append(f"{name}: {how}")


@pytest.mark.parametrize("seed", range(4))
def test_what_says_nothing_changes_no_key(seed, monkeypatch):
    for number in range(PROGRAMS * seed, PROGRAMS * (seed + 1)):
        keys = set()
        for old, new in COSMETICS:
            program = Program(number)
            monkeypatch.setitem(sys.modules, "users_program", program.module)
            run(program.module, program.text().replace(old, new))
            keys.add(functional_hash(program.module.step))
        assert len(keys) == 1, program.text()
