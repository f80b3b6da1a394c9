"""What other toolkits call layers and their arguments, and what is written here instead."""

from __future__ import annotations

NAMES = {
    "AvgPool1d": "dy.mean_dim(x, [1])",
    "BatchNorm1d": "dy.nn.BatchNorm(size, model)",
    "BatchNorm2d": "dy.nn.BatchNorm(size, model), of a matrix (channels, places)",
    "BCELoss": "dy.binary_log_loss(p, y), or dy.losses.binary_cross_entropy(scores, targets)",
    "BCEWithLogitsLoss": "dy.losses.binary_cross_entropy(scores, targets)",
    "Bilinear": "dy.nn.Biaffine(left, right, model)",
    "CTCLoss": "dy.nn.CTC(inputs, labels, model), or dy.structured.CTC(log_probs, target).loss()",
    "Conv1D": "dy.nn.Conv1d(inputs, outputs, width, model)",
    "Conv2d": "dy.conv2d(x, filters, stride)",
    "CosineSimilarity": "dy.dot_product(x, y) / (dy.l2_norm(x) * dy.l2_norm(y))",
    "CrossEntropyLoss": "dy.losses.cross_entropy(scores, target)",
    "Dropout1d": "dy.nn.Dropout(p, axis=0), of (channels, places)",
    "Dropout2d": "dy.nn.Dropout(p, axis=0), of (channels, places)",
    "ELU": "dy.elu(x)",
    "Flatten": "dy.reshape(x, size)",
    "GELU": "dy.gelu(x)",
    "GRU": "dy.nn.LSTM(inputs, outputs, model, builder=dy.GRUBuilder)",
    "GRUCell": "dy.GRUBuilder(layers, inputs, outputs, model), whose states have add_input(x)",
    "Identity": "the expression itself",
    "KLDivLoss": "dy.losses.kl_divergence",
    "L1Loss": "dy.losses.mae(x, y)",
    "LSTMCell": "dy.nn.LSTM(inputs, outputs, model).start(), whose states have add_input(x)",
    "LayerNormalization": "dy.nn.LayerNorm(size, model)",
    "LeakyReLU": "dy.leaky_relu(x)",
    "LogSoftmax": "dy.log_softmax(x)",
    "MSELoss": "dy.losses.mse(x, y)",
    "MaxPool1d": "dy.max_dim(x, 1), or dy.maxpooling2d(x, ksize, stride)",
    "MaxPool2d": "dy.maxpooling2d(x, ksize, stride)",
    "ModuleDict": "a dictionary of modules as an attribute: its parts are found",
    "ModuleList": "a list of modules as an attribute: its parts are found",
    "MultiheadAttention": "dy.nn.MultiHeadAttention(size, heads, model)",
    "NLLLoss": "dy.losses.cross_entropy(scores, target), which takes log probabilities too",
    "Parameter": "self.model.add_parameters(shape, name=...)",
    "ParameterList": "a list of what self.model.add_parameters(shape) gives",
    "RNN": "dy.nn.LSTM(inputs, outputs, model, builder=dy.SimpleRNNBuilder)",
    "ReLU": "dy.rectify(x)",
    "SELU": "dy.selu(x)",
    "Sequential": (
        "dy.nn.MLP(sizes, model) for linear layers, or a dy.nn.Module whose __call__ names its parts in turn"
    ),
    "SiLU": "dy.silu(x)",
    "Sigmoid": "dy.logistic(x)",
    "Softmax": "dy.softmax(x)",
    "Softplus": "dy.softplus(x)",
    "Tanh": "dy.tanh(x)",
    "Transformer": "dy.nn.TransformerEncoder and dy.nn.TransformerDecoder",
    "TripletMarginLoss": "dy.losses.triplet(anchor, positive, negative)",
    "functional": "dy itself: dy.softmax(x), dy.rectify(x); and dy.losses",
    "init": "dy.initializers, as dy.nn.Linear(3, 2, model, init=dy.initializers.Orthogonal())",
    "utils": "trainer.set_clip_threshold(1), or dy.optim.clip_norm(model, 1)",
}

_NO_PADDING = (
    "there is no padding: a layer is called with one example, of any length, and batching is automatic"
)
_NO_DEVICE = "the engine chooses where and in which precision it computes"

# What to say of a keyword of a layer.
KEYWORDS = {
    "affine": "weight and bias are always there",
    "batch_first": "a batch is no axis here: a sentence is a matrix (size, n), with a column for each word",
    "bidirectional": "dy.nn.BiLSTM(inputs, outputs, model) has both, and outputs counts both together",
    "d_model": "it is called size here",
    "device": _NO_DEVICE,
    "dim_feedforward": "it is called hidden here",
    "dtype": _NO_DEVICE,
    "embed_dim": "it is called size here",
    "embedding_dim": "it is called size here",
    "enforce_sorted": _NO_PADDING,
    "in_channels": "it is called inputs here",
    "in_features": "it is called inputs here",
    "hidden_size": "it is called outputs here",
    "input_size": "it is called inputs here",
    "kdim": "it is called key_size here",
    "kernel_size": "it is called width here",
    "key_padding_mask": _NO_PADDING,
    "max_norm": "vectors are not scaled; dy.optim.clip_norm limits gradients",
    "nhead": "it is called heads here",
    "normalized_shape": "it is called size here",
    "num_embeddings": "it is called words here: a dy.data.Vocabulary, or how many rows",
    "num_features": "it is called size here",
    "num_heads": "it is called heads here",
    "num_layers": "it is called layers here",
    "out_channels": "it is called outputs here",
    "out_features": "it is called outputs here",
    "padding_idx": _NO_PADDING,
    "padding_mode": "zeros are added; other margins are columns that a program concatenates",
    "src_key_padding_mask": _NO_PADDING,
    "attn_mask": "it is called mask here: True where a query may look, (keys, queries)",
    "src_mask": "it is called mask here: True where a query may look, (keys, queries)",
    "tgt_mask": "it is called mask here: True where a query may look; a decoder is causal without one",
    "is_causal": "it is called causal here",
    "track_running_stats": "running statistics are always kept; eval() uses them",
    "vdim": "it is called value_size here",
}


def refused(name: str) -> AttributeError:
    """The error for a name that dy.nn does not have."""
    import difflib

    from dynet import nn

    if name in NAMES:
        text = f"dynet.nn has no {name}; write {NAMES[name]}"
    else:
        near = difflib.get_close_matches(name.lower(), {each.lower(): each for each in nn.__all__}, n=1)
        known = [each for each in nn.__all__ if near and each.lower() == near[0]]
        text = f"dynet.nn has no {name}" + (f"; dy.nn.{known[0]} is there" if known else "")
    return AttributeError(text, name=name, obj=nn)
