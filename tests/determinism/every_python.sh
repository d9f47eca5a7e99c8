#!/bin/sh
# Recomputes the golden digests of training with every installed Python of the supported line, each in an environment of its own
# made from the lock file. PYTHON names the one that is used where no other is found.
set -eu
here=$(dirname "$0")
found=0
for version in 3.11 3.12 3.13; do
    python=$(command -v "python$version" || true)
    "$python" -c 'import venv' 2>/dev/null || python=""
    if [ -z "$python" ]; then                       # pyenv keeps its Pythons beside each other and off the path
        for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
            [ -x "$candidate" ] && python=$candidate
        done
    fi
    if [ -z "$python" ]; then
        echo "python $version: not installed here, so not checked"
        continue
    fi
    environment=.venv-$version
    if [ ! -f "$environment/.made" ] || [ requirements/demo.txt -nt "$environment/.made" ]; then
        "$python" -m venv "$environment"
        "$environment/bin/python" -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/demo.txt
        "$environment/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
        touch "$environment/.made"
    fi
    echo "python $version: $("$environment/bin/python" "$here/golden.py")"
    found=$((found + 1))
done
if [ "$found" -eq 0 ]; then
    "$PYTHON" "$here/golden.py"
fi
