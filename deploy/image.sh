#!/bin/sh
# Build the image as monitor:local and monitor:VERSION, with the first of podman and docker that answers.
#   ENGINE=podman   BASE=docker.io/library/python:3.12-slim-bookworm@sha256:…   EXTRAS=[archive]
#   IMAGE=registry.example/monitor (another name)   BUILD_OPTIONS="--no-cache" (for the engine)
set -eu
cd "$(dirname "$0")/.."
engine=""
for one in ${ENGINE:-podman docker}; do
    if command -v "$one" >/dev/null 2>&1 && "$one" info >/dev/null 2>&1; then engine=$one; break; fi
done
if [ -z "$engine" ]; then
    echo "image: no container engine answers (tried ${ENGINE:-podman, docker}); install podman or start docker" >&2
    exit 2
fi
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' monitor/__init__.py 2>/dev/null || true)
revision=$(git rev-parse HEAD 2>/dev/null || true)
image=${IMAGE:-monitor}
set -- --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --tag "$image:local"
[ -z "$version" ] || set -- "$@" --tag "$image:$version"
[ -z "${BASE:-}" ] || set -- "$@" --build-arg "BASE=$BASE"
[ -z "${EXTRAS:-}" ] || set -- "$@" --build-arg "EXTRAS=$EXTRAS"
# shellcheck disable=SC2086
exec "$engine" build ${BUILD_OPTIONS:-} "$@" --file deploy/Dockerfile .
