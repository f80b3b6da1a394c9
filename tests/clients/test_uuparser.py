"""uuparser 2.4, a dependency parser: it trains as with DyNet 2, and reads its models."""

import re

import numpy as np
import pytest
from toolkits import DYNET_2, OURS, TOOLKITS

# It makes tables for embeddings that it was told to do without, and never looks at them.
refused = pytest.mark.xfail(
    strict=True, reason="tables whose rows have no numbers are refused: docs/migration.md"
)
pytestmark = [pytest.mark.client, pytest.mark.timeout(1800), refused]

UUPARSER = "-m uuparser.parser"
SMALL = ("--char-emb-size", 30, "--char-lstm-output-size", 20)
SEEDS = 1, 2, 3


@pytest.fixture
def treebank(program, tmp_path):
    files = tmp_path / "train.conllu", tmp_path / "dev.conllu"
    for i, (file, sentences) in enumerate(zip(files, (150, 40), strict=True)):
        program(OURS, "treebank.py", file, sentences, i)
    return files


@pytest.fixture
def parse(program, treebank, tmp_path):
    """Trains or parses; returns the loss of each epoch and the scores on the development set."""

    def run(toolkit, name, folder, *options, seed=1):
        (tmp_path / folder).mkdir(exist_ok=True, parents=True)
        train, dev = treebank
        program(
            toolkit,
            name,
            *("--outdir", tmp_path / folder, "--trainfile", train, "--devfile", dev, "--testfile", dev),
            *("--logfile", tmp_path / folder / "log", *SMALL, "--dynet-seed", seed, *options),
        )
        log = (tmp_path / folder / "log").read_text()
        losses = re.findall(r"Train:\d+ - Loss: ([-.\d]+)", log)
        scores = re.findall(r" - (?:Dev score|Obtained LAS F1 score of) ([.\d]+)", log)
        return [float(x) for x in losses], [float(x) for x in scores]

    return run


@pytest.mark.parametrize("graph", [(), ("--graph-based",)], ids=["transitions", "graphs"])
def test_it_learns_as_with_dynet_2(parse, graph):
    """Other initial weights and other dropout: the means over seeds agree as those of other seeds do."""
    losses = {}
    for toolkit in TOOLKITS:
        found = [
            parse(toolkit, UUPARSER, f"{toolkit} {seed}", "--epochs", 3, *graph, seed=seed) for seed in SEEDS
        ]
        for seed, (loss, score) in zip(SEEDS, found, strict=True):
            print(f"{toolkit}, seed {seed}: losses {loss}, scores {score}")
            assert len(loss) == 3 and (graph or loss[0] > loss[1] > loss[2])
            assert score[-1] > 1.5 * score[0] or score[-1] > 95
        losses[toolkit] = np.mean([loss for loss, _ in found], axis=0)
    np.testing.assert_allclose(losses[OURS], losses[DYNET_2], rtol=0.15, atol=0.15)


@pytest.mark.parametrize("graph", [(), ("--graph-based",)], ids=["transitions", "graphs"])
def test_losses_are_those_of_dynet_2_from_the_same_model_on(parse, tmp_path, graph):
    parse(DYNET_2, "uuparser_plain.py", "first", "--epochs", 1, *graph)
    model, vocabulary = tmp_path / "first" / "barchybrid.model1", tmp_path / "first" / "params.pickle"
    goes_on = ("--continue", "--continueModel", model, "--continueParams", vocabulary)
    goes_on += ("--first-epoch", 2, "--epochs", 3, *graph)
    (losses, scores), (expected, expected_scores) = (
        parse(toolkit, "uuparser_plain.py", f"{toolkit} goes on", *goes_on) for toolkit in TOOLKITS
    )
    print(f"losses {losses} and {expected}, scores {scores} and {expected_scores}")
    assert losses == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert scores == pytest.approx(expected_scores, abs=1)


def test_the_models_of_each_parse_alike_with_the_other(parse, tmp_path):
    for trainer in TOOLKITS:
        parse(trainer, UUPARSER, trainer, "--epochs", 2, "--disable-pred-dev")
        parsed = []
        for toolkit in TOOLKITS:
            parse(
                toolkit,
                UUPARSER,
                f"{trainer} {toolkit}",
                "--predict",
                "--modeldir",
                tmp_path / trainer,
            )
            parsed.append((tmp_path / f"{trainer} {toolkit}" / "out.conllu").read_text())
        assert parsed[0] == parsed[1]
