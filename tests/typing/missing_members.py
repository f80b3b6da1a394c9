"""Prints for stubtest which attributes of classes only say what something is called today."""

from dynet.renamed import MEMBERS

for kind, names in MEMBERS.items():
    print(*(rf"dynet\._dynet\.{kind}\.{name}" for name in names), sep="\n")
