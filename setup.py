"""What pyproject.toml cannot say: files from outside of the package go into the wheel, and links of
README.md lead somewhere on a package index."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from monitor.commands.files import INSIDE, carried  # noqa: E402  it needs nothing installed


class Build(build_py):
    """`build_py`, and copies of what `monitor files` writes out, in the package."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # there they are found at their places
            for path in carried(ROOT):
                target = Path(self.build_lib, "monitor", INSIDE, path.relative_to(ROOT))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


class Metadata(egg_info):
    """`egg_info`, with the repository's address before each of README's links into it."""

    def run(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        base = project["urls"]["Repository"] + "/blob/main/"
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        self.distribution.metadata.long_description = re.sub(
            r"\]\((?!https?://|#)([^)]+)\)", rf"]({base}\1)", text
        )
        super().run()


setup(cmdclass={"build_py": Build, "egg_info": Metadata})
