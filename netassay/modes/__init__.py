"""CNI modes as data, and telling which one is in force."""

from netassay.modes.detection import Detection, detect
from netassay.modes.mode import Expectation, Mode, Parameters, Stance, load, names
from netassay.modes.surroundings import NodeDetection

__all__ = ["Detection", "Expectation", "Mode", "NodeDetection", "Parameters", "Stance", "detect", "load", "names"]
