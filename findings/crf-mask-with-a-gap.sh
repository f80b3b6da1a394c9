#!/usr/bin/env bash
# pytorch-crf 0.7.2 (with torch 2.13.0): a mask with a gap, as it arises when all but the first piece of each word
# are masked for tagging. decode leaves the masked step out, but the loss scores the transition out of the tag
# that stands at the masked step, so it depends on a tag that should not count, and belongs to another sequence.
# Left padding is refused by an error, so one would expect the same here, or that masked steps count nowhere. It
# matters because such a tagger trains towards other transitions than those it decodes with, and still improves.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 pytorch-crf==0.7.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import importlib.metadata
import sys
import warnings

import torch

warnings.simplefilter("ignore")  # torch has another word for such masks
import torchcrf


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("pytorch-crf", importlib.metadata.version("pytorch-crf"), "| torch", torch.__version__)
crf = torchcrf.CRF(2, batch_first=True)
with torch.no_grad():
    crf.start_transitions.zero_()
    crf.end_transitions.zero_()
    crf.transitions.copy_(torch.tensor([[2.0, -2.0], [-2.0, 2.0]]))  # a tag likes to follow itself
scores = torch.zeros(1, 3, 2)
gap = torch.tensor([[True, False, True]])


def loss(scores, tags, mask=None):
    return round(-crf(scores, torch.tensor([tags]), mask).item(), 3)


check("loss of the tags 0 0 alone", loss(scores[:, [0, 2]], [0, 0]), 0.711)
check("loss of 0 - 0, the masked step tagged 0", loss(scores, [0, 0, 0], gap), 0.711)
check("loss of 0 - 0, the masked step tagged 1", loss(scores, [0, 1, 0], gap), 4.711)
check("loss of 0 - 1, the masked step tagged 1", loss(scores, [0, 1, 1], gap), 0.711)
strong = scores.clone()
strong[0, 0, 0] = strong[0, 1, 1] = 9
check("decoded, with a strong score for 1 at the masked step", crf.decode(strong, gap), [[0, 0]])
try:
    crf(scores, torch.tensor([[0, 0, 0]]), torch.tensor([[False, True, True]]))
    outcome = "no error"
except ValueError as error:
    outcome = str(error)
check("left padding", outcome, "mask of the first timestep must all be on")
PY
