#!/usr/bin/env bash
# Makes .venv-spark in the project's folder, where the suite looks for Spark and Iceberg; does nothing where it is there already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../../.venv-spark
if ! command -v java >/dev/null; then
  echo "Spark needs Java 17 (Debian: openjdk-17-jre-headless)" >&2
  exit 1
fi
command -v mvn >/dev/null || { echo "Iceberg is fetched by mvn (Debian: maven)" >&2; exit 1; }
iceberg=1.10.0 # Glue 5.1's
jar=$venv/iceberg-spark-runtime.jar
fetch_iceberg() {
  [ -s "$jar" ] && return
  mvn -q -B dependency:copy -Dartifact="org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:$iceberg" \
    -DoutputDirectory="$venv/part" -Dmdep.stripVersion=true
  mv "$venv/part/iceberg-spark-runtime-3.5_2.12.jar" "$jar"
}
if "$venv/bin/python" -c 'import moto, pyspark' 2>/dev/null; then fetch_iceberg && exit 0; fi
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
fetch_iceberg
