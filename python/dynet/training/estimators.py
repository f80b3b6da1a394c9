"""Estimators of scikit-learn: a network of DyNet's in pipelines, searches and cross-validation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import dynet as dy
from dynet.data.order import listed


def _bases() -> Any:
    """scikit-learn's classes, and why they are not there; the reference lists ours all the same."""
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    except ImportError as error:
        return *(type(name, (), {}) for name in ("Base", "Classifies", "Regresses")), error
    return BaseEstimator, ClassifierMixin, RegressorMixin, None


missing: ImportError | None
if TYPE_CHECKING:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
else:
    BaseEstimator, ClassifierMixin, RegressorMixin, missing = _bases()
_PREFIX = "network__"
_AT_ONCE = 256  # examples whose outputs are computed together


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What classifiers and regressors share: the parameters, training, and outputs."""

    def __init__(
        self,
        network: Callable[..., Any],
        *,
        trainer: Callable[..., dy.Trainer] = dy.AdamTrainer,
        learning_rate: float | None = None,
        epochs: int = 10,
        batch_size: int = 16,
        key: Callable[[Any], Any] | None = None,
        held_out: float | None = None,
        patience: int | None = None,
        random_state: int | None = None,
        **arguments: Any,
    ) -> None:
        if missing is not None:
            what = f"{type(self).__name__} needs scikit-learn, which is not installed"
            raise ImportError(f"{what}; python -m pip install dynet[sklearn]") from missing
        self.network = network
        self.trainer = trainer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.key = key
        self.held_out = held_out
        self.patience = patience
        self.random_state = random_state
        for name, value in arguments.items():
            if not name.startswith(_PREFIX):
                what = f"{type(self).__name__}: there is no parameter {name}; those of the network begin with"
                raise TypeError(f"{what} {_PREFIX}")
            setattr(self, name, value)

    # scikit-learn reads the names of parameters off __init__, which has not those of the network.

    def _arguments(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name.startswith(_PREFIX)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, with those of the network."""
        return {**super().get_params(deep), **self._arguments()}

    def set_params(self, **params: Any) -> Any:
        """Sets parameters, also network__NAME."""
        for name in [name for name in params if name.startswith(_PREFIX)]:
            setattr(self, name, params.pop(name))
        return super().set_params(**params)

    def _examples(self, given: Any) -> Sequence[Any]:
        name = type(self).__name__
        if hasattr(given, "toarray"):  # sparse
            given = given.toarray()
        elif hasattr(given, "iloc") and given.ndim == 2 and all(kind.kind in "biuf" for kind in given.dtypes):
            given = given.to_numpy()
        examples = listed(name, given)
        if isinstance(examples, np.ndarray) and examples.ndim < 2 and examples.dtype.kind in "biuf":
            raise ValueError(
                f"{name}: the examples are an array of shape {examples.shape}; one row each is needed"
            )
        return examples

    def _fit(self, given: Any, targets: np.ndarray[Any, Any], outputs: int) -> None:
        """Trains with targets that the loss takes."""
        examples, name = self._examples(given), type(self).__name__
        if len(examples) != len(targets):
            raise ValueError(f"{name}: there are {len(examples)} examples and {len(targets)} targets")
        if self.random_state is not None:
            dy.reset_random_seed(self.random_state)
        seed = random.getrandbits(32) if self.random_state is None else self.random_state
        self.__dict__.pop("n_features_in_", None)
        if getattr(given, "ndim", 0) == 2:
            self.n_features_in_ = given.shape[1]
        self.model_ = dy.ParameterCollection()
        inputs = {name[len(_PREFIX) :]: value for name, value in self._arguments().items()}
        self.network_ = self.network(self.model_, examples, outputs, **inputs)
        if not callable(self.network_):
            raise TypeError(
                f"{name}: the network gave {self.network_!r:.60}; a function of one example is needed"
            )
        rate = () if self.learning_rate is None else (self.learning_rate,)
        options: dict[str, Any] = {}
        positions: Sequence[int] = range(len(examples))
        if self.held_out is not None:
            positions, options["held_out"] = dy.data.split(positions, self.held_out, seed=seed)
        key = self.key
        self.history_ = dy.fit(
            self.model_,
            self.trainer(self.model_, *rate),
            positions,
            lambda position: self._loss(self.network_(examples[position]), targets[position]),
            epochs=self.epochs,
            batch_size=self.batch_size,
            key=None if key is None else lambda position: key(examples[position]),
            seed=seed,
            patience=self.patience,
            progress=False,
            **options,
        )

    def _loss(self, output: dy.Expression, target: Any) -> dy.Expression:
        raise NotImplementedError

    def _outputs(self, given: Any) -> np.ndarray[Any, Any]:
        """What the network makes of each example, a row each."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "network_")
        expected = getattr(self, "n_features_in_", None)
        found: Sequence[int] = getattr(given, "shape", ())
        if expected is not None and len(found) == 2 and found[1] != expected:
            what = f"the examples have {found[1]} features; it was trained with {expected}"
            raise ValueError(f"{type(self).__name__}: {what}")
        examples = self._examples(given)
        rows = []
        for start in range(0, len(examples), _AT_ONCE):
            dy.renew_cg()
            ends = range(start, min(start + _AT_ONCE, len(examples)))
            outputs = [self.network_(examples[position]) for position in ends]
            rows += [np.reshape(value, -1) for value in dy.npvalues(outputs)]
        return np.array(rows, np.float64)


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A classifier of scikit-learn, of a network that gives a score for each class.

    network(model, examples, outputs, ...) is called with the training examples and the number of classes, and
    adds its parameters to the model; what it returns is called with one example, in training and prediction,
    and gives an expression of `outputs` scores. Parameters of the network begin with network__:

        class Network:
            def __init__(self, model, examples, outputs, size=32):
                self.hidden = model.add_parameters((size, len(examples[0])))
                self.output = model.add_parameters((outputs, size))

            def __call__(self, x):
                return self.output * dy.tanh(self.hidden * dy.inputVector(x))

        GridSearchCV(dy.training.Classifier(Network), {"network__size": [16, 32]}, n_jobs=2).fit(X, y)

    Examples are the rows of an array or of a frame, or the items of a list, such as texts. `trainer` is the
    class, `held_out` a part that decides when `patience` ends training; the others are as in dy.fit. An
    integer as `random_state` seeds DyNet's random numbers where training begins. history_ is that of dy.fit.
    """

    def fit(self, X: Any, y: Any) -> Classifier:  # noqa: N803  scikit-learn's names
        """Trains a new network; classes_ has the classes that it tells apart."""
        self.classes_, targets = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier: y has {len(self.classes_)} class; two at least are needed")
        self._fit(X, targets, len(self.classes_))
        return self

    def _loss(self, output: dy.Expression, target: Any) -> dy.Expression:
        return dy.pickneglogsoftmax(output, int(target))

    def decision_function(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """The scores of all classes, a row for each example; of two classes, how much the second has more."""
        scores = self._outputs(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """The class of each example."""
        scores = self._outputs(X)
        chosen: np.ndarray[Any, Any] = self.classes_[scores.argmax(axis=1)]
        return chosen

    def predict_proba(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """The probability of each class, a row for each example."""
        scores = self._outputs(X)
        exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: np.ndarray[Any, Any] = exponents / exponents.sum(axis=1, keepdims=True)
        return shares


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A regressor of scikit-learn, of a network that gives numbers; it minimises their squared distance.

    As Classifier; `outputs` is how many numbers y has for each example, 1 where y has one axis. Targets and
    examples are taken as they are: scale them in a pipeline, with StandardScaler and
    TransformedTargetRegressor.

        dy.training.Regressor(Network, epochs=50, network__size=16).fit(X, y).predict(X)
    """

    def fit(self, X: Any, y: Any) -> Regressor:  # noqa: N803
        """Trains a new network."""
        targets = np.asarray(y, np.float64)
        self._is_flat = targets.ndim == 1
        rows = targets.reshape(len(targets), -1)
        self._fit(X, rows, rows.shape[1])
        return self

    def _loss(self, output: dy.Expression, target: Any) -> dy.Expression:
        return dy.squared_distance(output, dy.inputVector(target))

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """The numbers of each example."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._is_flat else outputs
