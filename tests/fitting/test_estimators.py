"""Networks of DyNet's as estimators of scikit-learn."""

import pickle

import numpy as np
import pytest

import dynet as dy

pytest.importorskip("sklearn")
from fitting.networks import Dense, Letters
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Classifier, Regressor = dy.training.Classifier, dy.training.Regressor
RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(80, 4)) * 10
Y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
TEXTS = ["".join(RANDOM.choice(list("abcd"), RANDOM.integers(1, 6))) for _ in range(60)]
HAS_A = np.array(["a" in text for text in TEXTS])


def test_a_classifier_in_a_pipeline():
    pipeline = make_pipeline(
        StandardScaler(), Classifier(Dense, epochs=60, learning_rate=0.02, random_state=1)
    )
    assert pipeline.fit(X, Y).score(X, Y) > 0.9
    assert list(pipeline.classes_) == ["other", "same"] and is_classifier(pipeline)
    shares = pipeline.predict_proba(X)
    assert shares.shape == (80, 2) and np.allclose(shares.sum(axis=1), 1)
    assert (pipeline.predict(X) == pipeline.classes_[shares.argmax(axis=1)]).all()
    assert ((pipeline.decision_function(X) > 0) == (pipeline.predict(X) == "same")).all()


@pytest.mark.filterwarnings("ignore")  # joblib's, of processes that take long
def test_a_search_over_processes():
    search = GridSearchCV(
        Classifier(Dense, epochs=20, random_state=1, learning_rate=0.02),
        {"network__size": [1, 16], "trainer": [dy.AdamTrainer]},
        n_jobs=2,
        cv=2,
    )
    scaled = StandardScaler().fit_transform(X)
    search.fit(scaled, Y)
    assert search.best_params_["network__size"] == 16
    alone = GridSearchCV(search.estimator, search.param_grid, cv=2).fit(scaled, Y)
    assert (alone.cv_results_["mean_test_score"] == search.cv_results_["mean_test_score"]).all()


def test_texts_of_any_length_and_columns_of_frames():
    pandas = pytest.importorskip("pandas")
    options = {"epochs": 30, "learning_rate": 0.02, "random_state": 1}
    classifier = Classifier(Letters, key=len, **options).fit(TEXTS, HAS_A)
    assert classifier.score(TEXTS, HAS_A) > 0.95 and list(classifier.classes_) == [False, True]
    series = pandas.Series(TEXTS, index=range(100, 160))
    again = Classifier(Letters, key=len, **options).fit(series, pandas.Series(HAS_A))
    assert (again.predict_proba(series) == classifier.predict_proba(TEXTS)).all()
    frame = pandas.DataFrame(X, columns=list("abcd"), index=range(7, 87))
    of_frame = Classifier(Dense, **options).fit(frame, Y).predict_proba(frame)
    assert (of_frame == Classifier(Dense, **options).fit(X, Y).predict_proba(X)).all()
    assert len(cross_val_score(Classifier(Dense, epochs=1), frame, Y, cv=2)) == 2


@pytest.mark.parametrize("columns", [None, 2])
def test_a_regressor(columns):
    targets = X[:, 0] / 10 if columns is None else X[:, :columns] / 10
    regressor = Regressor(Dense, epochs=40, learning_rate=0.01, random_state=2, held_out=0.1, patience=40)
    regressor.fit(X / 10, targets)
    assert regressor.score(X / 10, targets) > 0.9 and is_regressor(regressor)
    assert regressor.predict(X / 10).shape == targets.shape and "score" in regressor.history_.epochs[0]


def test_a_number_of_numpy_is_held_out():
    ours, theirs = (
        Regressor(Dense, epochs=1, random_state=2, held_out=count).fit(X, X[:, 0])
        for count in (5, np.int64(5))
    )
    assert ours.history_["score"] == theirs.history_["score"]


def test_texts_are_spelled():
    texts = ["aab", "bba", "ab", "ba"] * 5
    classifier = Classifier(Letters, epochs=2, random_state=1).fit(texts, ["a", "b", "a", "b"] * 5)
    assert classifier.predict_proba(texts).shape == (20, 2)


def test_parameters_clones_and_pickles():
    classifier = Classifier(Dense, network__size=7, epochs=3)
    assert classifier.get_params()["network__size"] == 7
    copy = clone(classifier).set_params(network__size=3, epochs=2)
    assert copy.get_params()["network__size"] == 3 and copy.epochs == 2 and classifier.epochs == 3
    assert "network__size=7" in repr(classifier)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    copy.fit(X, Y)
    assert copy.network_.hidden.shape() == (3, 4)
    again = pickle.loads(pickle.dumps(copy))
    assert (again.predict_proba(X) == copy.predict_proba(X)).all()
    assert not hasattr(clone(copy), "network_")
    with pytest.raises(ValueError, match="Invalid parameter 'nothing'"):
        copy.set_params(nothing=3)
    with pytest.raises(
        TypeError, match="there is no parameter size; those of the network begin with network__"
    ):
        Classifier(Dense, size=3)


def test_wrong_examples_are_told():
    classifier = Classifier(Dense, epochs=1)
    for wrong, targets, what in (
        (X[:3], Y, "there are 3 examples and 80 targets"),
        (X, Y[:0], "y has 0 class"),
        (X, ["a"] * 80, "y has 1 class"),
        (X[:, 0], Y, r"an array of shape \(80,\); one row each"),
    ):
        with pytest.raises(ValueError, match=what):
            classifier.fit(wrong, targets)
    classifier.fit(X, Y)
    with pytest.raises(ValueError, match="the examples have 3 features; it was trained with 4"):
        classifier.predict(X[:, :3])
    with pytest.raises(TypeError, match="the network gave None"):
        Classifier(lambda model, examples, outputs: None).fit(X, Y)
