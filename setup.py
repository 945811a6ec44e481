"""Find the packages: the repository root is the package ``semiology``, its folders are the sub-packages.

Everything else stands in ``pyproject.toml``, which has no word for a root that is itself a package.
"""

from setuptools import find_packages, setup

NOT_INSTALLED = ("tests*", "benchmarks*", "tools*", "docs*", "build*", "demo_output*")

setup(packages=["semiology", *(f"semiology.{name}" for name in find_packages(exclude=NOT_INSTALLED))])
