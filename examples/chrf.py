"""chrF, a score of translations by the letters that they have in common with those by people."""

import collections

import numpy as np


def chrf(translations, references, longest=6, beta=2):
    """chrF (Popović 2015): an F-score of the runs of one to six letters that both have, in percent."""
    precision, recall = [], []
    for length in range(1, longest + 1):
        both = found = wanted = 0
        for pair in zip(translations, references, strict=True):
            a, b = (
                collections.Counter(t[i : i + length] for i in range(len(t) - length + 1))
                for t in (text.replace(" ", "") for text in pair)
            )
            both, found, wanted = both + (a & b).total(), found + a.total(), wanted + b.total()
        precision.append(both / max(1, found))
        recall.append(both / max(1, wanted))
    p, r = np.mean(precision), np.mean(recall)
    return 100 * (1 + beta**2) * p * r / max(beta**2 * p + r, 1e-9)
