"""Writes or reads model files with whichever DyNet is imported: run_files.py write|read FOLDER NUMBERS."""

import pickle
import sys

import numpy as np

import dynet_config

dynet_config.set(mem=16, random_seed=1)

import dynet as dy  # noqa: E402

BUILDERS = (
    "SimpleRNNBuilder",
    "GRUBuilder",
    "CoupledLSTMBuilder",
    "VanillaLSTMBuilder",
    "CompactVanillaLSTMBuilder",
)


def collection():
    """Parameters, tables and builders in a collection with another inside."""
    whole = dy.ParameterCollection()
    part = whole.add_subcollection("part")
    parameters = [
        whole.add_parameters((2, 3), name="W"),
        part.add_parameters(4),
        whole.add_parameters((2, 1, 3, 2)),
    ]
    tables = [part.add_lookup_parameters((5, 3), name="E"), whole.add_lookup_parameters((3, 2, 2))]
    builders = [getattr(dy, name)(2, 3, 4, part) for name in BUILDERS]
    builders.append(dy.BiRNNBuilder(1, 2, 4, whole, dy.LSTMBuilder))
    return whole, part, parameters, tables, builders


def train(parameters, tables):
    """Gradients that are not zero, for files that hold them."""
    dy.renew_cg()
    loss = dy.esum(
        [dy.sum_elems(dy.square(p)) for p in parameters[:2]] + [dy.sum_elems(dy.exp(tables[0][3]))]
    )
    loss.value()
    loss.backward()


def numbers(collections):
    """All that is in the collections."""
    found = []
    for c in collections:
        for p in [*c.parameters_list(), *c.lookup_parameters_list()]:
            found += [np.asarray(p.as_array()), np.asarray(p.grad_as_array())]
    return found


def write(folder):
    whole, part, parameters, tables, builders = collection()
    train(parameters, tables)
    whole.save(folder + "/whole")
    part.save(folder + "/part", "/key")
    parameters[0].save(folder + "/part", "/alone", append=True)
    dy.save(folder + "/list", parameters + tables + builders)
    listed = [b.param_collection() for b in builders]
    return {
        "whole": numbers([whole]),
        "part": numbers([part]),
        "alone": numbers_of_one(parameters[0]),
        "list": numbers(listed) + [p.as_array() for p in parameters + tables],
    }


def numbers_of_one(parameter):
    return [np.asarray(parameter.as_array()), np.asarray(parameter.grad_as_array())]


def read(folder):
    whole, part, _, _, _ = collection()
    whole.populate(folder + "/whole")
    found = {"whole": numbers([whole])}
    part.populate(folder + "/part", "/key/")
    found["part"] = numbers([part])
    alone = dy.ParameterCollection().load_param(folder + "/part", "/alone")
    found["alone"] = numbers_of_one(alone)
    loaded = dy.load(folder + "/list", dy.ParameterCollection())
    listed = [b.param_collection() for b in loaded[5:]]
    found["list"] = numbers(listed) + [p.as_array() for p in loaded[:5]]
    return found


if __name__ == "__main__":
    job, folder, result = sys.argv[1:]
    with open(result, "wb") as file:
        pickle.dump({"write": write, "read": read}[job](folder), file)
