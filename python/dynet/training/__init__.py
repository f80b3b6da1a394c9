"""Training with a loop that is there already: progress, scores, checkpoints, learning rates."""

from dynet.training.callbacks import Callback as Callback
from dynet.training.callbacks import JSONLog as JSONLog
from dynet.training.callbacks import ProgressBar as ProgressBar
from dynet.training.callbacks import TensorBoard as TensorBoard
from dynet.training.history import History as History
from dynet.training.loop import Run as Run
from dynet.training.rates import LearningRates as LearningRates

__all__ = ["Callback", "History", "JSONLog", "LearningRates", "ProgressBar", "Run", "TensorBoard"]


def __getattr__(name: str) -> object:
    """The estimators, which need scikit-learn."""
    if name in ("Classifier", "Regressor"):
        from dynet.training import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'dynet.training' has no attribute {name!r}", name=name)
