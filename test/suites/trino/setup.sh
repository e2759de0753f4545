#!/usr/bin/env bash
# Fetches Trino's engine from Maven Central to node_modules/.cache/trino, where the suite looks for it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/../../../node_modules/.cache/trino
for tool in java javac mvn; do
  command -v "$tool" >/dev/null || { echo "Trino needs $tool (Debian: openjdk-17-jdk-headless, maven)" >&2; exit 1; }
done
if ! ls "$folder"/trino-memory-*.jar >/dev/null 2>&1; then
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$folder"
fi
javac -d "$folder/classes" -cp "$folder/*" "$here/Ask.java"
