"""The examples run, learn the same bits whatever the schedule, and load what they saved."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUNNER = """
import runpy, sys
import dynet as dy
dy.set_batching_policy(sys.argv.pop(1))
dy.set_num_threads(int(sys.argv.pop(1)))
sys.argv.pop(0)
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""
NO_DATA = 3  # the exit status of an example that cannot fetch its data
LEARNERS = [
    "attention.py",
    "ctc.py",
    "digits.py",
    "digits.py --network perceptron",
    "dqn.py",
    "easy_first.py",
    "graph_parser.py --trees projective",
    "graph_parser.py --trees spanning",
    "hypernyms.py",
    "language_model.py",
    "molecules.py",
    "named_entities.py",
    "neural_modules.py",
    "neural_modules.py --network lstm",
    "policy_gradient.py",
    "policy_gradient.py --method reinforce",
    "pronunciation.py --attention hard",
    "pronunciation.py --attention soft",
    "punctuation.py",
    "punctuation.py --network transformer",
    "reinforce.py",
    "rnng.py",
    "rnnlm_batch.py --way one-by-one",
    "rnnlm_batch.py --way padded",
    "segmental_rnn.py",
    "softmax_lm.py --softmax classes",
    "softmax_lm.py --softmax tree",
    "tagger.py",
    "transition_parser.py",
    "translator.py",
    "translator.py --network lstm",
    "treelstm.py",
    "vae.py",
    "word_embeddings.py",
]
SETTINGS = [("agenda", 1), ("single", 1), ("depth", 1), ("agenda", 2)]


def run(name, policy, threads, *options):
    """Runs an example on a slice of its data; skips the test where the data cannot be had."""
    command = [sys.executable, "-c", RUNNER, policy, str(threads), str(EXAMPLES / name), "--smoke", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode == NO_DATA:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores(text):
    return [line for line in text.splitlines() if line.startswith("held-out")]


@pytest.mark.parametrize("name", ["tagger.py", "language_model.py", "treelstm.py"])
def test_same_bits_whatever_the_schedule(name, tmp_path):
    saved = []
    for policy, threads in SETTINGS:
        file = tmp_path / f"{policy}{threads}.model"
        run(name, policy, threads, "--save", str(file))
        saved.append(file.read_bytes())
    for (policy, threads), model in zip(SETTINGS, saved, strict=True):
        assert model == saved[0], f"{policy} on {threads} threads learned other numbers"


@pytest.mark.parametrize("command", LEARNERS)
def test_scores_the_same_when_loaded_and_not_batched(command, tmp_path):
    name, *chosen = command.split()
    file = str(tmp_path / "saved.model")
    trained = run(name, "agenda", 1, *chosen, "--save", file)
    loaded = run(name, "single", 1, *chosen, "--load", file)
    assert scores(trained) == scores(loaded) != []


def test_xor_is_learned():
    answers = re.findall(r"(\S+) right: (\d)", run("xor.py", "agenda", 1))
    assert len(answers) == 4
    assert all(abs(float(chance) - int(right)) < 0.1 for chance, right in answers)


def test_every_example_is_run():
    programs = {path.name for path in EXAMPLES.glob("*.py") if "__main__" in path.read_text("utf-8")}
    programs.remove("export.py")  # test_cpp.py runs it
    programs -= {"distributed_tagger.py", "distributed_language_model.py"}  # tests/distributed has an MPI
    assert programs == {command.split()[0] for command in LEARNERS}
