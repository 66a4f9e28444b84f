"""A folder for PYTHONPATH: Python imports its sitecustomize while it starts, see docs/coldstart.md."""

from pathlib import Path

FOLDER = Path(__file__).parent
