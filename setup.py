"""Find the packages: the repository root is the package ``semiology``, its folders are the sub-packages.

Everything else stands in ``pyproject.toml``, which has no word for a root that is itself a package.

``semiology_torchvision`` stands beside the package, since PyTorch imports it at the end of every ``import torch``
(entry-point group ``torch.backends``). An editable installation points into the checkout; if that moved, the
import would fail and take ``import torch`` with it. So the file itself is put into editable installations too.
"""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.editable_wheel import editable_wheel

NOT_INSTALLED = ("tests*", "benchmarks*", "tools*", "docs*", "build*", "demo_output*")
BESIDE = "semiology_torchvision"


class EditableWheelWithFile(editable_wheel):
    """An editable wheel that holds a copy of the one file that must never be missing."""

    def _select_strategy(self, *arguments, **keywords):  # noqa: ANN002, ANN003, ANN202
        strategy = super()._select_strategy(*arguments, **keywords)
        original = type(strategy).__call__

        def with_file(this, wheel, files, mapping):  # noqa: ANN001, ANN202
            original(this, wheel, files, mapping)
            if f"{BESIDE}.py" not in wheel.namelist():
                wheel.write(str(Path(__file__).with_name(f"{BESIDE}.py")), f"{BESIDE}.py")

        strategy.__class__ = type(type(strategy).__name__, (type(strategy),), {"__call__": with_file})
        return strategy


setup(
    packages=["semiology", *(f"semiology.{name}" for name in find_packages(exclude=NOT_INSTALLED))],
    py_modules=[BESIDE],
    cmdclass={"editable_wheel": EditableWheelWithFile},
)
