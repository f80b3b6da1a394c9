"""Training with a loop that is there already: progress, scores, checkpoints, learning rates."""

from dynet.training.callbacks import Callback as Callback
from dynet.training.callbacks import JSONLog as JSONLog
from dynet.training.callbacks import ProgressBar as ProgressBar
from dynet.training.callbacks import TensorBoard as TensorBoard
from dynet.training.history import History as History
from dynet.training.loop import Run as Run
from dynet.training.rates import LearningRates as LearningRates

__all__ = ["Callback", "History", "JSONLog", "LearningRates", "ProgressBar", "Run", "TensorBoard"]
