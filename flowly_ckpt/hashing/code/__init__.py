"""What code does: where it comes from, its instructions in the order of control flow, what it refers to, functions."""

__all__: list[str] = []
