"""The image that `make image` built → how large it is, by package, written into deploy/README.md."""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.deploy import engine as engines
from tests.deploy.engine import IMAGE, Engine

README = Path(__file__).parents[2] / "deploy" / "README.md"
BEGIN, END = "<!-- sizes: `make image-sizes` writes them -->\n", "<!-- end of sizes -->\n"
FEWEST = 1.0
"""MB from which on a package has a line of its own."""

INSIDE = """
import json, os
from importlib.metadata import distributions
def size(one):
    paths = {str(file.locate()) for file in one.files or ()}
    return sum(os.lstat(path).st_size for path in paths if os.path.exists(path))
print(json.dumps({one.name: size(one) for one in distributions()}))
"""


def by_package(engine: Engine) -> dict[str, int]:
    """Bytes of each distribution's files, those that Python compiled among them."""
    done = engine.run("run", "--rm", "--entrypoint", "python", IMAGE, "-c", INSIDE)
    return dict(json.loads(done.stdout))


def layers(engine: Engine) -> list[int]:
    """Compressed bytes of each layer, the base's first, as a registry would hand them out."""
    if not engine.path.endswith("podman"):
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.tar")
        engine.run("save", "--format", "oci-archive", "--output", str(path), IMAGE, seconds=600)
        with tarfile.open(path) as archive:

            def read(name: str) -> dict[str, list[dict[str, str]]]:
                file = archive.extractfile(name)
                assert file is not None
                return dict(json.load(file))

            digest = read("index.json")["manifests"][0]["digest"].replace(":", "/")
            return [int(one["size"]) for one in read(f"blobs/{digest}")["layers"]]


def table(sizes: dict[str, int], pulled: list[int]) -> str:
    """The section's text."""
    rows = sorted(sizes.items(), key=lambda one: -one[1])
    large = [(name, size / 1e6) for name, size in rows if size >= FEWEST * 1e6]
    rest = [size / 1e6 for _, size in rows if size < FEWEST * 1e6]
    total = sum(sizes.values()) / 1e6
    lines = [f"{len(rows)} packages have {total:.0f} MB installed, on top of the base image."]
    if len(pulled) > 1:
        lines[0] += f" Compressed, as they are pulled, they have {sum(pulled[1:]) / 1e6:.0f} MB."
    lines += ["", "| package | MB |", "|---|---|"]
    lines += [f"| {name} | {size:.1f} |" for name, size in large]
    lines += [f"| {len(rest)} others | {sum(rest):.1f} |", ""]
    return "\n".join(lines)


def main() -> int:
    """Write the section anew; 2 where there is no image to look at."""
    engine = engines.find()
    if isinstance(engine, str):
        print(engine, file=sys.stderr)
        return 2
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    section = table(by_package(engine), layers(engine))
    README.write_text(f"{before}{BEGIN}{section}{END}{after}", encoding="utf-8")
    print(section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
