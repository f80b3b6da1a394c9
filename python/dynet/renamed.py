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
    "SGDTrainer": "SimpleSGDTrainer",
    "Dropout": "dropout(x, p)",
    "Embedding": "ParameterCollection().add_lookup_parameters",
    "GRU": "GRUBuilder",
    "LSTM": "VanillaLSTMBuilder",
    "Linear": "affine_transform([b, W, x]) of parameters",
    "Module": "any class that keeps its parameters; ParameterCollection lists them",
    "array": "inputTensor",
    "binary_cross_entropy": "binary_log_loss",
    "gather": "pick_batch, select_rows or select_cols",
    "index_select": "select_rows, or select_cols",
    "manual_seed": "reset_random_seed",
    "mse_loss": "squared_distance",
    "nll_loss": "pick of -log_softmax(x), or pickneglogsoftmax",
    "no_grad": "nothing, as only backward() computes gradients; nobackprop(x) stops them",
    "norm": "l2_norm",
    "permute": "transpose(x, dims)",
    "squeeze": "reshape",
    "tensor": "inputTensor",
    "unsqueeze": "reshape",
    "vstack": "concatenate",
    "hstack": "concatenate_cols",
    "view": "reshape",
}

_READ = {
    "load": "populate, or dynet.load, which returns what was saved",
    "load_all": "populate",
    "load_from_textfile": "populate",
}
_TRAINED = {
    "clip": "clip_inplace",
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

# Methods that arrays of other toolkits have, and functions are here.
_OPERATIONS = (
    *("argmax", "exp", "log", "log_softmax", "max_dim", "mean_elems", "reshape", "softmax", "sqrt", "square"),
    *("sum_elems", "tanh", "transpose"),
)

MEMBERS: dict[str, dict[str, str]] = {
    "Expression": {
        **{name: f"{name}(x)" for name in _OPERATIONS},
        "T": "transpose(x)",
        "clip": "bmin and bmax, of two expressions",
        "cpu": "nothing: everything is on the CPU",
        "cuda": "nothing: everything is on the CPU",
        "data": "npvalue()",
        "detach": "nobackprop(x)",
        "dot": "dot_product(x, y), or x * y of matrices",
        "dtype": "dynet.__precision__, the type of all numbers",
        "flatten": "reshape(x, n)",
        "grad": "gradient()",
        "item": "scalar_value(), or float(x)",
        "max": "max_dim(x), or emax of a list",
        "mean": "mean_elems(x), or mean_dim(x, axes, False)",
        "min": "min_dim(x), or bmin of two",
        "ndim": "len(x.shape)",
        "norm": "l2_norm(x)",
        "numpy": "npvalue()",
        "pow": "pow(x, y), or x ** y",
        "relu": "rectify(x)",
        "requires_grad": "nobackprop(x) where no gradient is wanted",
        "sigmoid": "logistic(x)",
        "size": "dim(), or shape",
        "sum": "sum_elems(x), or sum_dim(x, axes)",
        "tolist": "value(), or npvalue().tolist()",
        "view": "reshape(x, sizes)",
    },
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
        "from_file": "populate, or dynet.load, which returns what was saved",
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
        "param_groups": "learning_rate",
        "state_dict": "save(fname)",
        "load_state_dict": "populate(fname)",
    },
    "_RNNBuilder": {
        "new_graph": "initial_state()",
        "start_new_sequence": "initial_state()",
        "add_input": "initial_state().add_input(x)",
        "add_inputs": "initial_state().add_inputs(xs)",
        "transduce": "initial_state().transduce(xs)",
        "get_parameter_collection": "param_collection()",
        "set_dropout_rate": "set_dropout",
        "eval": "disable_dropout()",
        "forward": "initial_state().transduce(xs)",
        "hidden_dim": "spec[2]",
        "input_dim": "spec[1]",
        "parameters": "param_collection(), or get_parameters()",
        "train": "set_dropout(rate)",
    },
}


def _sentence(kind: str, name: str, today: str) -> str:
    return f"{kind} has no {name}; today it is {today}"


class Renamed:
    """A name that the module does not have: its use is an AttributeError that has today's."""

    __slots__ = ("_name", "_today")

    def __init__(self, name: str, today: str) -> None:
        self._name, self._today = name, today

    def refuse(self, *_: object, **__: object) -> NoReturn:
        raise AttributeError(_sentence("dynet", self._name, self._today), name=self._name)

    __call__ = __getattr__ = __getitem__ = __iter__ = __mro_entries__ = refuse
    __instancecheck__ = __subclasscheck__ = __reduce_ex__ = refuse

    def __repr__(self) -> str:
        return f"<{_sentence('dynet', self._name, self._today)}>"


RENAMED = {name: Renamed(name, today) for name, today in _FUNCTIONS.items()}


def missing_name(name: str) -> NoReturn:
    """Raises AttributeError for a name that the package does not have, with that of today if it had one."""
    if name in RENAMED:
        RENAMED[name].refuse()
    raise AttributeError(f"module 'dynet' has no attribute {name!r}", name=name)


def find_names_fast(module: dict[str, Any]) -> None:
    """Called when the first graph begins anew, and nodes are soon added by the thousand, each by a name.

    Python finds the names of a module that has a __getattr__ by a longer way, a third of what a node costs.
    From here on what was refused when it was looked up is refused when it is used.
    """
    if module.pop("__getattr__", None):
        module.update({**RENAMED, **module})


class _Missing:
    """A name that a class does not have. It stands in the class, so that nothing else is slower to find."""

    def __init__(self, name: str, today: str) -> None:
        self.name, self.today = name, today

    def __get__(self, thing: Any, kind: type) -> Any:
        own = getattr(thing, "__dict__", {})  # of builders, and of classes that programs derive
        if self.name not in own:
            self._refuse(kind)
        return own[self.name]

    def __set__(self, thing: Any, value: object) -> None:
        if not hasattr(thing, "__dict__"):
            self._refuse(type(thing))
        thing.__dict__[self.name] = value

    def __delete__(self, thing: Any) -> None:
        if self.name not in getattr(thing, "__dict__", {}):
            self._refuse(type(thing))
        del thing.__dict__[self.name]

    def _refuse(self, kind: type) -> NoReturn:
        raise AttributeError(_sentence(kind.__name__, self.name, self.today), name=self.name)


def _in_class(kind: type, name: str) -> object:
    return next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)


def _names_of(self: object) -> list[str]:
    """What dir() lists."""
    kind = type(self)
    return [
        name
        for name in object.__dir__(self)
        if name in getattr(self, "__dict__", {}) or not isinstance(_in_class(kind, name), _Missing)
    ]


def tell_members() -> None:
    """Lets classes of the extension say what a method that they do not have is called today."""
    for class_name, names in MEMBERS.items():
        kind: Any = getattr(_dynet, class_name)
        kind.__dir__ = _names_of
        for name, today in names.items():
            if isinstance(_in_class(kind, name), _Missing | type(None)):
                setattr(kind, name, _Missing(name, today))
