"""Reading what models learn from: files of sentences, trees and vectors; batches; vocabularies."""

from dynet.data.columns import read_columns as read_columns
from dynet.data.columns import write_columns as write_columns
from dynet.data.conllu import Sentence as Sentence
from dynet.data.conllu import Token as Token
from dynet.data.conllu import read_conllu as read_conllu
from dynet.data.conllu import write_conllu as write_conllu
from dynet.data.order import batches as batches
from dynet.data.order import split as split
from dynet.data.trees import Tree as Tree
from dynet.data.trees import read_trees as read_trees
from dynet.data.vectors import WordVectors as WordVectors
from dynet.data.vectors import read_vectors as read_vectors
from dynet.data.vocabulary import Vocabulary as Vocabulary

__all__ = [
    "Sentence",
    "Token",
    "Tree",
    "Vocabulary",
    "WordVectors",
    "batches",
    "read_columns",
    "read_conllu",
    "read_trees",
    "read_vectors",
    "split",
    "write_columns",
    "write_conllu",
]
