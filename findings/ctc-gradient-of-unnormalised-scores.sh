#!/usr/bin/env bash
# torch 2.13.0: the gradient of ctc_loss with respect to its first argument is not the derivative of its value; it
# is too large by exp(log_prob) everywhere. The surplus cancels only where the probabilities of a frame always sum
# to one, as behind log_softmax; behind sigmoids the gradient even has the other sign in places, and
# torch.autograd.gradcheck calls it wrong. One would expect the derivative of what was computed. It matters to
# whoever compares another implementation with torch, or trains with such scores.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import torch


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


def loss(log_probs):
    lengths = torch.tensor([2]), torch.tensor([1])
    return torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1]]), *lengths, reduction="sum")


def of_first_frame(scores, log_probs_of):
    x = scores.clone().requires_grad_(True)
    loss(log_probs_of(x)).backward()
    quotients = []
    for label in range(3):
        step = torch.zeros_like(scores)
        step[0, 0, label] = 1e-5
        change = loss(log_probs_of(scores + step)) - loss(log_probs_of(scores - step))
        quotients.append(round((change / 2e-5).item(), 3))
    return [round(number, 3) for number in x.grad[0, 0].tolist()], quotients


print("torch", torch.__version__)
scores = torch.zeros(2, 1, 3, dtype=torch.double)
gradient, quotients = of_first_frame(scores, lambda x: x.log_softmax(-1))
check("behind log_softmax, gradient", gradient, [0, -0.333, 0.333])
check("behind log_softmax, difference quotients", quotients, [0, -0.333, 0.333])
gradient, quotients = of_first_frame(scores, torch.nn.functional.logsigmoid)
check("behind logsigmoid, gradient", gradient, [0.083, -0.083, 0.25])
check("behind logsigmoid, difference quotients", quotients, [-0.167, -0.333, 0])
try:
    torch.autograd.gradcheck(loss, scores.log_softmax(-1).requires_grad_(True))
    verdict = "right"
except RuntimeError as error:
    verdict = str(error).partition(" for")[0]
check("gradcheck of ctc_loss alone, given log probabilities", verdict, "Jacobian mismatch")
PY
