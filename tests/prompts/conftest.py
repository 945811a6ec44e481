from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept-prompt-drift",
        action="store_true",
        help="Write the rendered questions to tests/prompts/snapshots instead of comparing with them.",
    )
