"""Trainers by the names of other libraries, learning rates that change, gradients before an update."""

from dynet._dynet import AdadeltaTrainer as Adadelta
from dynet._dynet import AdagradTrainer as Adagrad
from dynet._dynet import AdamTrainer as Adam
from dynet._dynet import AdamWTrainer as AdamW
from dynet._dynet import AmsgradTrainer as AMSGrad
from dynet._dynet import LionTrainer as Lion
from dynet._dynet import MomentumSGDTrainer as Momentum
from dynet._dynet import RAdamTrainer as RAdam
from dynet._dynet import RMSPropTrainer as RMSProp
from dynet._dynet import SimpleSGDTrainer as SGD  # noqa: N814  The method's name.
from dynet.optim.gradients import Accumulation as Accumulation
from dynet.optim.gradients import averaged as averaged
from dynet.optim.gradients import clip_each as clip_each
from dynet.optim.gradients import clip_norm as clip_norm
from dynet.optim.gradients import clip_value as clip_value
from dynet.optim.schedules import CosineSchedule as CosineSchedule
from dynet.optim.schedules import ExponentialSchedule as ExponentialSchedule
from dynet.optim.schedules import InverseSquareRootSchedule as InverseSquareRootSchedule
from dynet.optim.schedules import LinearSchedule as LinearSchedule
from dynet.optim.schedules import Plateau as Plateau
from dynet.optim.schedules import Scheduled as Scheduled
from dynet.optim.schedules import StepSchedule as StepSchedule
from dynet.optim.schedules import WarmUp as WarmUp

__all__ = [
    "SGD",
    "AMSGrad",
    "Accumulation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "CosineSchedule",
    "ExponentialSchedule",
    "InverseSquareRootSchedule",
    "LinearSchedule",
    "Lion",
    "Momentum",
    "Plateau",
    "RAdam",
    "RMSProp",
    "Scheduled",
    "StepSchedule",
    "WarmUp",
    "averaged",
    "clip_each",
    "clip_norm",
    "clip_value",
]
