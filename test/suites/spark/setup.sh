#!/usr/bin/env bash
# Makes .venv-spark in the project's folder, where the suite looks for Spark; does nothing where it is there already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../../.venv-spark
if ! command -v java >/dev/null; then
  echo "Spark needs Java 17 (Debian: openjdk-17-jre-headless)" >&2
  exit 1
fi
if "$venv/bin/python" -c 'import moto, pyspark' 2>/dev/null; then exit 0; fi
for python in python3.11 python3.10 python3.9 python3; do
  command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 11))' && break
  python=
done
if [ -z "$python" ]; then
  echo "Spark 3.5 needs Python 3.9 to 3.11" >&2
  exit 1
fi
"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet -r "$here/requirements.txt"
