#!/usr/bin/env bash
# Fetches Trino's engine from Maven Central to node_modules/.cache/trino, where the suite looks for it, and compiles the
# program that asks it; does nothing where both are there already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/../../../node_modules/.cache/trino
oldest=24 # the Java that this engine was compiled for

# The home of a JDK that is new enough: the one that is named, the usual one, or any of Debian's place.
java_home() {
  local usual home version
  usual=$(readlink -f "$(command -v javac || true)" || true)
  for home in "${WINDFARM_TRINO_JAVA_HOME:-}" "${JAVA_HOME:-}" "${usual%/bin/javac}" /usr/lib/jvm/*; do
    version=$("$home/bin/javac" -version 2>/dev/null | sed -n 's/^javac \([0-9]*\).*/\1/p')
    if [ "${version:-0}" -ge "$oldest" ]; then echo "$home" && return; fi
  done
  echo "Trino needs a JDK of version $oldest or newer; WINDFARM_TRINO_JAVA_HOME names one that is elsewhere" >&2
  return 1
}

if cmp -s "$here/pom.xml" "$folder/pom.xml" && cmp -s "$here/Ask.java" "$folder/classes/Ask.java" && [ -x "$folder/java/bin/java" ]; then
  exit 0
fi
java=$(java_home)
command -v mvn >/dev/null || { echo "Trino needs mvn (Debian: maven)" >&2; exit 1; }
if ! cmp -s "$here/pom.xml" "$folder/pom.xml"; then
  rm -rf "$folder"
  # What Maven itself does with a Java so new is not ours to hear of.
  JAVA_HOME=$java MAVEN_OPTS=--sun-misc-unsafe-memory-access=allow mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$folder"
  cp "$here/pom.xml" "$folder/pom.xml"
fi
ln -sfn "$java" "$folder/java"
"$java/bin/javac" -d "$folder/classes" -cp "$folder/*" "$here/Ask.java"
cp "$here/Ask.java" "$folder/classes/Ask.java"
