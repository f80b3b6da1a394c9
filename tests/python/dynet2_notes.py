"""What differs from DyNet 2: a note for every name, or group of names, that is not just the same."""

GRADIENT = "The gradient is right where DyNet 2's was not: "
CHECKED = "A wrong index is refused by the call with IndexError, not at evaluation."

# One or several names, and what is different about each of them.
NOTES = {
    "round ceil floor": GRADIENT + "`straight_through_gradient` is honoured.",
    "silu": GRADIENT + "`beta` counts.",
    "poisson_loss": GRADIENT + "it is multiplied by what comes from above.",
    "binary_log_loss": GRADIENT + "also with respect to the target.",
    "average": GRADIENT + "also for an unbatched member of a batch.",
    "elu selu": "Never confused with `rectify` or with another alpha when batched.",
    "transpose softmax concatenate conv2d_bias vanilla_lstm_c vanilla_lstm_h": (
        "Nodes whose arguments differ (permutation, axis, bias, which of the two) are never merged into one."
    ),
    "pick_range pickrange": "Takes an axis `d`; nodes of different axes are never merged.",
    "pick": "Negative indices count from the end. " + CHECKED,
    "pick_batch pick_batch_elem pick_batch_elems select_rows select_cols lookup_batch": CHECKED,
    "lookup": CHECKED + " A lookup with `update=False` is never merged with one that learns.",
    "pickneglogsoftmax pickneglogsoftmax_batch hinge hinge_batch": CHECKED,
    "hinge_dim": "`d=1` checks indices against the right size. " + CHECKED,
    "logsumexp_dim": "`d=1` is right for matrices that are not square.",
    "contract3d_1d": "Starts from zero, not from what the memory held.",
    "inverse": "Of a singular matrix it is not a number throughout; some were numbers, others infinite.",
    "kmax_pooling": "With ties the earliest of the largest are taken, none is lost. NaN is the largest.",
    "vanilla_lstm_gates vanilla_lstm_gates_concat": "`weightnoise_std` adds noise to the weights, no more.",
    "vanilla_lstm_gates_dropout vanilla_lstm_gates_dropout_concat": (
        "`weightnoise_std` adds noise to the weights, no more."
    ),
    "sum_dim": "`n` is accepted and, as before, has no effect. A vector has an axis 1.",
    "std_dim": (
        "`n` is accepted and, as before, has no effect. Its gradient where it is 0 is 0. "
        "A vector has an axis 1."
    ),
    "std_elems std_batches l2_norm sqrt": "Its gradient where it is 0 is 0.",
    "weight_norm": "Where w is 0 the result and its gradients are 0.",
    "pow": "The gradient at 0 is 0 for exponents below 1, as that of a root.",
    "min_dim mean_dim moment_dim dropout_dim": "A vector has an axis 1, of size 1.",
    "max_dim": "A vector has an axis 1, of size 1. The first NaN is the largest.",
    "argmax": "The first NaN is the largest.",
    "inputTensor inputVector": "Takes any numbers: generators, ranges, arrays of every kind, DLPack.",
    "inputMatrix matInput": "Raises DeprecationWarning, as before.",
    "parameter": "Returns what it is given and prints nothing.",
    "print_graphviz": "Draws the graph as it is, with every operation and without `--dynet-viz`.",
    "print_text_graphviz": "Nodes are written by operation name, arguments, indices and parameter name.",
    "dump_cg": "The last node is there too, and each node says what it computes.",
    "cg_checkpoint": "Evaluates nothing; the values are those that come out later.",
    "cg_revert": "An expression that was removed is refused, and may not be read.",
    "renew_cg": "`autobatching=None` is on, but after `--dynet-autobatch 0`; the numbers are the same bits.",
    "cg": "Every thread has a current graph of its own.",
    "available_devices": "Names are text, not bytes; there is only the CPU.",
    "get_device_info": "The name is text, not bytes.",
    "init init_from_params": "May be called again; nothing is printed.",
    "save": "Takes any path; DyNet 2 loads the files. A kill loses nothing; unreadable specs are refused.",
    "load": "Takes any path; files of DyNet 2 load. A load that is refused adds nothing.",
    "load_generator": "Takes any path; files of DyNet 2 load. Both are checked before the first object.",
    "Expression": (
        "Arrays are float32, not float64. All operators, `len`, `abs`, `float`, formats and `.shape` work. "
        "Keys may mix numbers, slices, lists and masks, and may be negative. Numbers of NumPy are numbers, "
        "arrays operands."
    ),
    "Parameters": (
        "The same as Expression. A whole number without brackets may be a size. `set_updated(False)` is "
        "rest: no gradient, no decay. `as_array()` is what expressions have. Adds `set_gradient(arr)`."
    ),
    "LookupParameters": (
        "`table[-1]` is the last row. As `Parameters`; adds `set_value(arr)`, `clip_inplace(left, right)`, "
        "`table[i] = row`, `set_gradient(arr)`, `set_row_gradient(i, row)` and `add_rows`."
    ),
    "ComputationGraph": "Can be made: `with dy.ComputationGraph():`. Several may be alive at once.",
    "ParameterCollection Model": (
        "Adds `reset_gradient()`, `gradient_l2_norm()`, `updated_parameter_count()`, `project_weights()` and "
        "`state_dict()` and `load_state_dict(state)`, which keep and restore all values in memory."
    ),
    "GlorotInitializer": "The same formula, other random numbers.",
    "Trainer": (
        "Has `whoami()` too, moving averages, and `save` and `populate`, after which training goes on to the "
        "bit, also with dropout: they hold the state of the random numbers, too. `update_epoch` takes a "
        "default. `update()` leaves what no gradient has reached; `update_subset` has an effect."
    ),
    "CoupledLSTMBuilder": "`set_dropouts(d, d_h, d_c)` sets the rate of the memory cell too.",
    "StandardSoftmaxBuilder": "Can be saved. `sample` without bias draws from the distribution.",
    "ClassFactoredSoftmaxBuilder": (
        "Can be saved. `full_logits` is the true distribution. Prints nothing; a wrong file raises an error."
    ),
    "RNNState": "`set_h` keeps the cells of this state's own predecessor, also in beam search. "
    "A state works as long as its graph does, whatever other graphs the builder is used in meanwhile.",
    "cdiv": "The numerator may be stretched, too.",
    "log_softmax": "Takes an axis `d`.",
    "reset_random_seed": "0 is a seed as any other.",
    "FastLSTMBuilder": "`set_dropout` has an effect.",
    "GRUBuilder BiRNNBuilder": "Has `set_dropouts`, `zero_state` and `final_state`.",
    "VanillaLSTMBuilder LSTMBuilder SparseLSTMBuilder": (
        "With `ln_lstm` the gains and biases are in the builder's own collection, so that saving it saves "
        "them. DyNet 2's files of whole collections load; those of such a builder alone lack them and do not."
    ),
    "CompactVanillaLSTMBuilder": "`set_weightnoise` adds noise to the weights, no more.",
    "DynetParams": "Memory and sharing have no effect; profiling and batching have.",
    "DeviceInfo": "A named tuple.",
    "HAVE_CUDA": "False.",
    "__version__ __gitversion__": "The version of DyNet 3.",
}
