"""Tags the strings of a JSON file with nagisa: nagisa_tag.py TEXTS RESULT [VOCABS PARAMS HP]."""

import json
import sys
import time

import nagisa

import dynet

with open(sys.argv[1]) as file:
    texts = json.load(file)
tagger = nagisa.Tagger(*sys.argv[3:]) if len(sys.argv) > 3 else nagisa.tagger
for text in texts[:20]:
    tagger.tagging(text).postags  # noqa: B018  The tags are made when asked for.
start = time.process_time()
tagged = [(t.words, t.postags) for t in map(tagger.tagging, texts)]
seconds = time.process_time() - start
collection = tagger._model.model
collection.save(sys.argv[2] + ".model")
loads = []
for _ in range(3):
    start = time.process_time()
    collection.populate(sys.argv[2] + ".model")
    loads.append(time.process_time() - start)
result = {"dynet": dynet.__file__, "tagged": tagged, "seconds": seconds, "load": min(loads)}
with open(sys.argv[2], "w") as file:
    json.dump(result, file)
