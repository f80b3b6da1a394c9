"""Molecules as graphs, from formulas called SMILES; which of them pass from the blood into the brain."""

import csv
import re
import zlib

import numpy as np
from fetch import Package, fetch

TABLE = "B3DB/B3DB_classification.tsv"
# Meng, Xi, Huang and Ayers (2021): 7,807 molecules, collected from 50 sources; CC0.
B3DB = Package("qc-b3db==1.1.1", (TABLE,))
TOKEN = re.compile(r"\[[^\]]+\]|Br|Cl|[A-Za-z]|[-=#:/\\().]|%\d\d|\d")
ATOM = re.compile(r"\[\d*([A-Z][a-z]?|se|as|[a-z])@*(H?)\d*([-+]?)")
BONDS = ("-", "=", "#", ":")  # single, double, triple, aromatic


class Molecule:
    """What a line of SMILES says: the atoms' symbols, and bonds as (an atom, another, kind)."""

    def __init__(self, smiles):
        self.atoms, self.bonds = [], []
        last, kind, branches, rings = None, None, [], {}
        for token in TOKEN.findall(smiles):
            if token == "(":
                branches.append(last)
            elif token == ")":
                last = branches.pop()
            elif token == ".":
                last = None
            elif token in "-=#:/\\":
                kind = token if token in BONDS else "-"  # the others tell left from right
            elif token[-1].isdigit():
                if token in rings:
                    other, before = rings.pop(token)
                    self.bond(other, last, kind or before)
                else:
                    rings[token] = last, kind
                kind = None
            else:
                self.atoms.append(self.symbol(token))
                here = len(self.atoms) - 1
                if last is not None:
                    self.bond(last, here, kind)
                last, kind = here, None

    def symbol(self, token):
        """An element, small where it is aromatic, the hydrogen of an aromatic nitrogen, and the charge."""
        if token[0] != "[":
            return token
        element, hydrogen, charge = ATOM.match(token).groups()
        return element + (hydrogen if element.islower() else "") + charge

    def bond(self, a, b, kind):
        aromatic = self.atoms[a][0].islower() and self.atoms[b][0].islower()
        self.bonds.append((a, b, kind or (":" if aromatic else "-")))

    def neighbours(self):
        """For each kind of bond there is, an array with a 1 where two atoms have it."""
        tables = {}
        for a, b, kind in self.bonds:
            table = tables.setdefault(kind, np.zeros((len(self.atoms), len(self.atoms)), dtype=np.float32))
            table[a, b] = table[b, a] = 1
        return tables

    def parts(self):
        """Its atoms and bonds as texts, for the simple method."""
        pairs = ([*sorted((self.atoms[a], self.atoms[b])), kind] for a, b, kind in self.bonds)
        return [*self.atoms, *map(" ".join, pairs)]


def molecules():
    """Molecules and whether they pass, as (training, held out); mirror images are on one side."""
    sides = [], []
    with fetch(B3DB, TABLE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            flat = re.sub(r"[@/\\]", "", row["SMILES"])
            sides[zlib.crc32(flat.encode()) % 5 == 0].append((Molecule(flat), row["BBB+/BBB-"] == "BBB+"))
    return sides
