"""lmms-eval tasks: YAML declarations and the few functions that they name."""

from pathlib import Path

TASK_FOLDER = Path(__file__).parent
