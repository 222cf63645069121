#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Makes an environment, and installs a package from the index and a local one in it.
set -eu

export PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p local/src
cat >local/pyproject.toml <<'END'
[build-system]
requires = ["setuptools", "wheel"]
build-backend = "setuptools.build_meta"
[project]
name = "local"
version = "1.0"
scripts = { local = "local:main" }
END
mkdir local/src/local
printf 'def main():\n    print("local runs")\n' >local/src/local/__init__.py
step venv /usr/bin/python3 -m venv environment
bin=environment/bin
step 'install from the index' $bin/pip install --quiet idna==3.7
step 'install a folder' $bin/pip install --quiet ./local
step 'install, editable' $bin/pip install --quiet --force-reinstall -e ./local
step run $bin/local
step wheel sh -c "$bin/pip wheel --quiet --no-deps -w wheels ./local && ls wheels"
step download sh -c "$bin/pip download --quiet --no-binary :all: --no-deps -d sources six==1.16.0 && ls sources"
step freeze $bin/pip freeze
step check $bin/pip check
step files files environment/lib/python*/site-packages/idna* -name '*.py'
step uninstall $bin/pip uninstall --quiet --yes idna local
step list $bin/pip list
