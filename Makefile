# Shorthand for what README.md and tox.ini say.
PYTHON ?= python

.PHONY: help test lint types docs bench clear_checkpoints

help:  ## list the targets
	@grep -hE '^[a-z_]+: *##' $(MAKEFILE_LIST) | sed -E 's/^([a-z_]+): *## */  make \1\t/' | expand -t 28

test:  ## everything, as CI runs it
	$(PYTHON) -m pip install tox
	$(PYTHON) -m tox

lint:  ## faults of form
	$(PYTHON) -m tox -e lint

types:  ## the types of the package
	$(PYTHON) -m tox -e types

docs:  ## build docs/_build/html
	$(PYTHON) -m tox -e docs

bench:  ## how costs compare and grow
	$(PYTHON) -m tox -e bench

# What flowly_ckpt.calls keeps by default; other folders: python -m flowly_ckpt clear FOLDER
clear_checkpoints:  ## delete the stored results of cached calls
	rm -rf ./artifacts/checkpoint ./artifacts/checkpoints
