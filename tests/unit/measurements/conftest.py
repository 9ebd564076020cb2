"""Lets these tests use the builders of the folder above, whichever folder pytest is started on."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
