"""Names that older programs and other toolkits have, and what they are called today."""

from typing import Any, NoReturn

from dynet import _dynet

_FUNCTIONS = {
    "Saveable": "any class with spec, from_spec and param_collection, which dy.save and dy.load know",
    "add_lookup_parameters": "ParameterCollection().add_lookup_parameters",
    "add_parameters": "ParameterCollection().add_parameters",
    "average_cols": "mean_dim(x, [1], False)",
    "cat": "concatenate",
    "const_lookup": "lookup(table, index, update=False)",
    "conv1d_narrow": "filter1d_narrow",
    "conv1d_wide": "filter1d_narrow of x between columns of zeros",
    "cross_entropy": "pickneglogsoftmax",
    "cwise_divide": "cdiv",
    "cwise_multiply": "cmult",
    "cwise_quotient": "cdiv",
    "embedding": "lookup",
    "input": "scalarInput, inputVector or inputTensor",
    "kmax_pool": "kmax_pooling",
    "load_model": "ParameterCollection().populate, or load",
    "matmul": "W * x, or W @ x",
    "max": "emax of a list, bmax of two, or max_dim",
    "maximum": "bmax",
    "mean": "mean_elems, mean_dim, or average of a list",
    "min": "bmin of two, or min_dim",
    "minimum": "bmin",
    "multiply": "cmult",
    "neg_log_softmax": "pickneglogsoftmax",
    "pick_neg_log_softmax": "pickneglogsoftmax",
    "rand_bernoulli": "random_bernoulli",
    "rand_normal": "random_normal",
    "rand_uniform": "random_uniform",
    "relu": "rectify",
    "save_model": "ParameterCollection().save, or save",
    "seed": "reset_random_seed",
    "set_random_seed": "reset_random_seed",
    "sigmoid": "logistic",
    "stack": "concatenate_cols",
    "sum": "esum of a list, or sum_elems",
    "sum_cols": "sum_dim(x, [1])",
    "sum_rows": "sum_dim(x, [0])",
    "tensorInput": "inputTensor",
    "Adam": "AdamTrainer",
    "BiLSTMBuilder": "BiRNNBuilder(..., rnn_builder_factory=VanillaLSTMBuilder)",
    "Parameter": "Parameters",
    "LookupParameter": "LookupParameters",
    "RNNBuilder": "SimpleRNNBuilder, VanillaLSTMBuilder, GRUBuilder and others",
    "SGDTrainer": "SimpleSGDTrainer",
}

_READ = {
    "load": "populate",
    "load_all": "populate",
    "load_from_textfile": "populate",
}
_TRAINED = {
    "load_array": "set_value(array)",
    "load_from_array": "set_value(array)",
    "numpy": "as_array()",
    "as_numpy": "as_array()",
    "data": "as_array(), and set_value(array)",
    "grad": "grad_as_array()",
    "size": "shape()",
    "set_trainable": "set_updated",
    "get_fullname": "name()",
}

_MEMBERS: dict[str, dict[str, str]] = {
    "ParameterCollection": {
        **_READ,
        "save_all": "save",
        "save_to_textfile": "save",
        "add_lookup_parameter": "add_lookup_parameters",
        "add_parameter": "add_parameters",
        "add_lookup": "add_lookup_parameters",
        "parameters": "parameters_list(), and lookup_parameters_list()",
        "lookup_parameters": "lookup_parameters_list()",
        "size": "parameter_count()",
        "get_fullname": "name()",
        "zero_grad": "reset_gradient()",
        "add_subcollections": "add_subcollection",
    },
    "Parameters": {**_READ, **_TRAINED},
    "LookupParameters": {
        **_READ,
        **_TRAINED,
        "load_array": "init_from_array(array)",
        "load_from_array": "init_from_array(array)",
        "load_row": "init_row(row, array)",
        "initialize": "init_row(row, array)",
        "set_row": "init_row(row, array)",
    },
    "Trainer": {
        "step": "update()",
        "zero_grad": "the collection's reset_gradient(); update() leaves gradients at zero",
        "lr": "learning_rate",
        "eta": "learning_rate",
        "clear": "restart()",
        "set_lr": "learning_rate = x",
    },
    "_RNNBuilder": {
        "new_graph": "initial_state()",
        "start_new_sequence": "initial_state()",
        "add_input": "initial_state().add_input(x)",
        "add_inputs": "initial_state().add_inputs(xs)",
        "transduce": "initial_state().transduce(xs)",
        "get_parameter_collection": "param_collection()",
        "set_dropout_rate": "set_dropout",
    },
}


def missing_name(name: str) -> NoReturn:
    """Raises AttributeError for a name that the package does not have, with that of today if it had one."""
    if name in _FUNCTIONS:
        raise AttributeError(f"dynet has no {name}; today it is {_FUNCTIONS[name]}", name=name)
    raise AttributeError(f"module 'dynet' has no attribute {name!r}", name=name)


def tell_members() -> None:
    """Lets classes of the extension say what a method that they do not have is called today."""
    for class_name, names in _MEMBERS.items():
        kind: Any = getattr(_dynet, class_name)
        kind.__getattr__ = _missing_member(names)


def _missing_member(names: dict[str, str]) -> Any:
    def __getattr__(self: object, name: str) -> NoReturn:  # noqa: N807
        kind = type(self).__name__
        if name in names:
            raise AttributeError(f"{kind} has no {name}; today it is {names[name]}", name=name)
        raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)

    return __getattr__
