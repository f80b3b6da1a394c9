"""Trains nagisa on a file of words and tags: nagisa_fit.py TRAIN MODEL; writes MODEL.vocabs, .params, .hp."""

import sys

import nagisa

train, model = sys.argv[1:]
nagisa.fit(
    train_file=train, dev_file=train, test_file=train, model_name=model, epoch=3, min_count=0, dim_hidden=20
)
