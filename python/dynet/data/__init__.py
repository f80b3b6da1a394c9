"""Reading what models learn from: files of sentences, trees and vectors; batches; vocabularies."""

from dynet.data.order import batches as batches

__all__ = ["batches"]
