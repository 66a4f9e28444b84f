"""Truth probes, run inside a runtime, and what the profile of each call said about them."""

from adapters.calibration.measure import measure
from adapters.calibration.record import Calibration, Reading
from adapters.calibration.verdict import Line, Verdict, judged

__all__ = ["Calibration", "Line", "Reading", "Verdict", "judged", "measure"]
