"""Training with a loop that is there already: progress, scores, checkpoints, learning rates."""

from typing import TYPE_CHECKING

from dynet.training.callbacks import Callback as Callback
from dynet.training.callbacks import JSONLog as JSONLog
from dynet.training.callbacks import ProgressBar as ProgressBar
from dynet.training.callbacks import TensorBoard as TensorBoard
from dynet.training.history import History as History
from dynet.training.loop import Run as Run
from dynet.training.rates import LearningRates as LearningRates

if TYPE_CHECKING:
    from dynet.training.estimators import Classifier as Classifier
    from dynet.training.estimators import Regressor as Regressor

__all__ = [
    "Callback",
    "Classifier",
    "History",
    "JSONLog",
    "LearningRates",
    "ProgressBar",
    "Regressor",
    "Run",
    "TensorBoard",
]


def __getattr__(name: str) -> object:
    """The estimators, which load scikit-learn."""
    if name in ("Classifier", "Regressor"):
        from dynet.training import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'dynet.training' has no attribute {name!r}", name=name)
