"""CNI modes as data, and telling which one is in force."""

from netassay.modes.detection import Detection, NodeDetection, detect
from netassay.modes.mode import Expectation, Mode, Parameters, Stance, load, names

__all__ = ["Detection", "Expectation", "Mode", "NodeDetection", "Parameters", "Stance", "detect", "load", "names"]
