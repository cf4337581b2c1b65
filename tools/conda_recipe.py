"""Print the recipe for conda-forge of an sdist, from its own metadata.

    python tools/conda_recipe.py dist/sksmooth-0.1.0.tar.gz > recipe.yaml

So the recipe cannot differ from pyproject.toml. Packages have the same names there.
"""

import io
import sys
import tarfile
import tomllib
from email.parser import Parser
from hashlib import sha256
from pathlib import Path

_RECIPE = """\
schema_version: 1

context:
  version: "{version}"
  python_min: "{python}"

package:
  name: sksmooth
  version: ${{{{ version }}}}

source:
  url: https://pypi.org/packages/source/s/sksmooth/sksmooth-${{{{ version }}}}.tar.gz
  sha256: {digest}

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
  python:
    entry_points:
      - sksmooth = sksmooth.cli:main

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
{build}
  run:
    - python >=${{{{ python_min }}}}
{run}

tests:
  - python:
      imports:
        - sksmooth
      pip_check: true
      python_version: ${{{{ python_min }}}}.*
  - requirements:
      run:
        - python ${{{{ python_min }}}}.*
        - click
    script:
      - sksmooth demo

about:
  homepage: {homepage}
  license: {license}
  license_file: LICENSE
  summary: {summary}
  documentation: {documentation}

extra:
  recipe-maintainers:
{maintainers}
"""


def recipe(content, maintainers):
    """Return the text of the recipe for an sdist, given as bytes."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        folder = archive.getnames()[0].partition("/")[0]
        info = archive.extractfile(f"{folder}/PKG-INFO").read().decode()
        project = archive.extractfile(f"{folder}/pyproject.toml").read().decode()
    metadata = Parser().parsestr(info)
    urls = dict(one.split(", ", 1) for one in metadata.get_all("Project-URL"))
    needed = [one for one in metadata.get_all("Requires-Dist") if "extra ==" not in one]
    built_by = tomllib.loads(project)["build-system"]["requires"]
    return _RECIPE.format(
        version=metadata["Version"],
        python=metadata["Requires-Python"].removeprefix(">="),
        digest=sha256(content).hexdigest(),
        build=_listed(map(_spaced, built_by)),
        run=_listed(map(_spaced, needed)),
        homepage=urls["Homepage"],
        documentation=urls["Documentation"],
        license=metadata["License-Expression"],
        summary=metadata["Summary"],
        maintainers=_listed(maintainers),
    )


def _listed(entries):
    return "\n".join(f"    - {entry}" for entry in entries)


def _spaced(requirement):
    """Return "numpy>=1.26" as conda writes it."""
    name, _, least = requirement.partition(">=")
    return f"{name} >={least}"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"Use: python {sys.argv[0]} SDIST [GITHUB NAME OF A MAINTAINER]...")
    sys.stdout.write(
        recipe(Path(sys.argv[1]).read_bytes(), sys.argv[2:] or ["sksmooth"])
    )
