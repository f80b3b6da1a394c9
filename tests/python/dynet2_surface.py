"""The public surface of DyNet 2.1: every name with its signature. dynet2_notes says where DyNet 3 differs."""

CONSTANTS = {"HAVE_CUDA": "bool", "__version__": "str", "__gitversion__": "str"}

FUNCTIONS = """
abs(x)
acos(x)
acosh(x)
affine_transform(exprs)
argmax(x, gradient_mode)
asin(x)
asinh(x)
atan(x)
atanh(x)
average(xs)
binary_log_loss(x, y)
block_dropout(x, p)
bmax(x, y)
bmin(x, y)
cdiv(x, y)
ceil(x, gradient_mode)
circ_conv(u, v)
circ_corr(u, v)
cmult(x, y)
colwise_add(x, y)
concatenate(xs, d=0)
concatenate_cols(xs)
concatenate_to_batch(xs)
const_parameter(*args)
constant(dim, val, batch_size=1)
constrained_softmax(x, y)
contract3d_1d(x, y)
contract3d_1d_1d(x, y, z)
contract3d_1d_1d_bias(x, y, z, b)
contract3d_1d_bias(x, y, b)
conv2d(x, f, stride, is_valid=True)
conv2d_bias(x, f, b, stride, is_valid=True)
cos(x)
cosh(x)
cube(x)
cumsum(x, d=0)
dot_product(x, y)
dropout(x, p)
dropout_batch(x, p)
dropout_dim(x, d, p)
elu(x, alpha=1.0)
emax(xs)
erf(x)
esum(xs)
exp(x)
filter1d_narrow(x, y)
flip_gradient(x)
floor(x, gradient_mode)
fold_rows(x, nrows=2)
hinge(x, v, m=1.0)
hinge_batch(x, vs, m=1.0)
hinge_dim(x, v, d=0, m=1.0)
huber_distance(x, y, c=1.345)
inputTensor(arr, batched=False, device="", reusable_expr=False)
inputVector(v, device="")
inverse(x)
kmax_pooling(x, k, d=1)
kmh_ngram(x, v)
l1_distance(x, y)
l2_norm(x)
layer_norm(x, g, b)
lgamma(x)
log(x)
log_sigmoid(x)
log_softmax(x, restrict=None)
logdet(x)
logistic(x)
logsumexp(xs)
logsumexp_dim(x, d=0)
lookup(p, index=0, update=True)
lookup_batch(p, indices, update=True)
max_dim(x, d=0)
maxpooling2d(x, ksize, stride, is_valid=True)
mean_batches(x)
mean_dim(x, d, b, n=0)
mean_elems(x)
min_dim(x, d=0)
moment_batches(x, r)
moment_dim(x, d, r, b, n=0)
moment_elems(x, r)
nobackprop(x)
noise(x, stddev)
one_hot(d, idx, device="")
ones(dim, batch_size=1)
pairwise_rank_loss(x, y, m=1.0)
pick(e, index=0, dim=0)
pick_batch(e, indices, dim=0)
pick_batch_elem(x, v)
pick_batch_elems(x, vs)
pick_range(x, s, e, d=0)
pickneglogsoftmax(x, v)
pickneglogsoftmax_batch(x, vs)
pickrange(x, s, e)
poisson_loss(log_lambda, x)
pow(x, y)
random_bernoulli(dim, p, scale=1.0, batch_size=1)
random_gumbel(dim, mu=0.0, beta=1.0, batch_size=1)
random_normal(dim, mean=0.0, stddev=1.0, batch_size=1)
random_uniform(dim, left, right, batch_size=1)
rectify(x)
reshape(x, d, batch_size=1)
round(x, gradient_mode)
scalarInput(s, device="")
scale_gradient(x, lambd=1.0)
select_cols(x, cs)
select_rows(x, rs)
selu(x)
silu(x, beta=1.0)
sin(x)
sinh(x)
softmax(x, d=0)
softsign(x)
sparse_inputTensor(idxs, values, shape, batched=False, defval=0.0, device="")
sparsemax(x)
sqrt(x)
square(x)
squared_distance(x, y)
squared_norm(x)
std_batches(x)
std_dim(x, d, b, n=0)
std_elems(x)
strided_select(x, strides, range_from, range_to)
sum_batches(x)
sum_dim(x, d, b=False, n=0)
sum_elems(x)
tan(x)
tanh(x)
to_device(e, device_str)
trace_of_product(x, y)
transpose(x, dims=(1, 0))
vanilla_lstm_c(c_tm1, gates_t)
vanilla_lstm_gates(x_t, h_tm1, Wx, Wh, b, weightnoise_std=0.0)
vanilla_lstm_gates_concat(x_t, h_tm1, Wx, Wh, b, weightnoise_std=0.0)
vanilla_lstm_gates_dropout(x_t, h_tm1, Wx, Wh, b, dropout_mask_x, dropout_mask_h, weightnoise_std=0.0)
vanilla_lstm_gates_dropout_concat(x_t, h_tm1, Wx, Wh, b, dropout_mask_x, dropout_mask_h, weightnoise_std=0.0)
vanilla_lstm_h(c_t, gates_t)
vecInput(dim, device="")
weight_norm(w, g)
zeroes(dim, batch_size=1)
zeros(dim, batch_size=1)

available_devices()
cg()
cg_checkpoint()
cg_revert()
cg_version()
dump_cg(filename="", show_values=True, show_gradients=True, nan_check_only=False)
forward(exps, recalculate=False)
get_device_info(name)
init(shared_parameters=None)
init_from_params(params)
inputMatrix(v, d)
load(basename, params)
load_generator(basename, params)
matInput(d1, d2)
npvalues(exps, recalculate=False)
parameter(*args)
print_graphviz(**kwargs)
print_text_graphviz()
renew_cg(immediate_compute=False, check_validity=False, autobatching=None)
reset_random_seed(seed)
save(basename, objects)
values(exps, recalculate=False)
"""

EVALUATION = """
backward(full=False)
dim()
forward(recalculate=False)
gradient()
npvalue(recalculate=False)
scalar_value(recalculate=False)
tensor_value(recalculate=False)
value(recalculate=False)
vec_value(recalculate=False)
"""

LEARNED = (
    EVALUATION
    + """
as_array()
grad_as_array()
is_updated()
name()
populate_from_textfile(fname, key="")
save(fname, key="", append=False)
scale(s)
scale_gradient(s)
set_updated(b)
shape()
write_to_textfile(fname, key="", append=False)
zero()
"""
)

TRAINER = """
get_clip_threshold()
learning_rate
restart(learning_rate=None)
set_clip_threshold(thr)
set_learning_rate(value)
set_sparse_updates(su)
status()
update()
update_epoch(r)
update_subset(updated_params, updated_lookups)
"""

BUILDER = """
disable_dropout()
get_parameter_expressions()
get_parameters()
initial_state(vecs=None, update=True)
initial_state_from_raw_vectors(vecs, update=True)
param_collection()
set_dropout(f)
whoami()
"""
SAVABLE = "from_spec(spec, model)\nspec\n"
MASKS = "set_dropout_masks(batch_size=1)\n"

SOFTMAX = """
full_log_distribution(x, update=True)
full_logits(x, update=True)
neg_log_softmax(x, c, update=True)
neg_log_softmax_batch(x, c, update=True)
param_collection()
sample(x)
"""

COLLECTION = """
add_lookup_parameters(dim, init=None, name="", device="", scale=1.0, mean=0.0, std=1.0)
add_parameters(dim, init=None, name="", device="", scale=1.0, mean=0.0, std=1.0)
add_subcollection(name=None)
get_weight_decay()
load_lookup_param(fname, key)
load_param(fname, key)
lookup_parameters_from_numpy(array, name="", device="")
lookup_parameters_list()
name()
parameter_count()
parameters_from_numpy(array, name="", device="")
parameters_list()
populate(fname, key="")
populate_from_textfile(fname, key="")
save(fname, name="", append=False)
set_weight_decay(lam)
set_weight_decay_lambda(lam)
write_to_textfile(fname, key="", append=False)
"""

GRAPH = """
backward(index, full=False)
checkpoint()
dump(filename, show_values, show_gradients, nan_check_only)
forward(index)
forward_scalar(index)
forward_vec(index)
inc_forward(index)
inc_forward_scalar(index)
inc_forward_vec(index)
inputMatrixLiteral(v, d, batch_size=1, device="")
inputSparseTensor(idxs, v, dim, batch_size=1, defval=0.0, device="")
print_graphviz()
renew(immediate_compute=False, check_validity=False, autobatching=None)
revert()
version()
"""

LAYERS = "layers, input_dim, hidden_dim, model"
NORMALIZED = LAYERS + ", ln_lstm=False, forget_bias=1.0"

# Name: the base class or "", the arguments of the constructor or None where programs cannot call it, members.
CLASSES: dict[str, tuple[str, str | None, str]] = {
    "AdadeltaTrainer": ("Trainer", "m, eps=1e-06, rho=0.95", TRAINER + "whoami()"),
    "AdagradTrainer": ("Trainer", "m, learning_rate=0.1, eps=1e-20", TRAINER + "whoami()"),
    "AdamTrainer": ("Trainer", "m, alpha=0.001, beta_1=0.9, beta_2=0.999, eps=1e-08", TRAINER + "whoami()"),
    "AmsgradTrainer": (
        "Trainer",
        "m, alpha=0.001, beta_1=0.9, beta_2=0.999, eps=1e-08",
        TRAINER + "whoami()",
    ),
    "BiRNNBuilder": (
        "",
        "num_layers, input_dim, hidden_dim, model, rnn_builder_factory, builder_layers=None",
        "add_inputs(es)\ndisable_dropout()\nfrom_spec(spec, model)\nparam_collection()\nset_dropout(p)\n"
        "transduce(es)\nwhoami()",
    ),
    "ClassFactoredSoftmaxBuilder": (
        "SoftmaxBuilder",
        "input_dim, cluster_file, dic, pc, bias=True",
        SOFTMAX
        + "class_log_distribution(x, update=True)\nclass_logits(x, update=True)\n"
        + "subclass_log_distribution(x, classid, update=True)\nsubclass_logits(x, classid, update=True)",
    ),
    "CompactVanillaLSTMBuilder": (
        "_RNNBuilder",
        LAYERS,
        BUILDER + SAVABLE + MASKS + "set_dropouts(d, d_r)\nset_weightnoise(std)",
    ),
    "ComputationGraph": ("", None, GRAPH),
    "ConstInitializer": ("PyInitializer", "c", ""),
    "CoupledLSTMBuilder": ("_RNNBuilder", LAYERS, BUILDER + SAVABLE),
    "CyclicalSGDTrainer": (
        "Trainer",
        "m, learning_rate_min=0.01, learning_rate_max=0.1, step_size=2000, gamma=1.0",
        TRAINER + "whoami()",
    ),
    "DeviceInfo": ("", "name, id, type", ""),
    "DynetParams": (
        "",
        "",
        "from_args(shared_parameters=None)\nfrom_config(conf)\ninit()\nset_autobatch(autobatch)\n"
        "set_cpu_mode()\nset_gpu_mask(gpu_mask)\nset_mem(mem)\nset_profiling(profiling)\n"
        "set_random_seed(random_seed)\nset_requested_gpus(requested_gpus)\n"
        "set_shared_parameters(shared_parameters)\nset_weight_decay(weight_decay)",
    ),
    "Expression": ("", None, EVALUATION),
    "FastLSTMBuilder": ("_RNNBuilder", LAYERS, BUILDER),
    "FloatValue": ("", "val=0.0", "get()\nset(val)"),
    "FloatVectorValue": ("", "vals", "get()\nset(newval)\nsize()"),
    "FromFileInitializer": ("PyInitializer", "fname", ""),
    "GRUBuilder": ("_RNNBuilder", LAYERS, BUILDER + SAVABLE),
    "GlorotInitializer": ("PyInitializer", "is_lookup=False, gain=1.0", ""),
    "IdentityInitializer": ("PyInitializer", "", ""),
    "LSTMBuilder": ("_RNNBuilder", NORMALIZED, BUILDER + SAVABLE + MASKS + "set_dropouts(d, d_r)"),
    "LookupParameters": (
        "",
        None,
        LEARNED
        + "batch(i)\nexpr()\ninit_from_array(arr)\ninit_row(i, row)\npopulate(fname, key='')\n"
        + "row_as_array(row)\nrow_grad_as_array(row)\nrows_as_array(rows)\nrows_grad_as_array(rows)",
    ),
    "Model": ("", "parent=None", COLLECTION),
    "MomentumSGDTrainer": ("Trainer", "m, learning_rate=0.01, mom=0.9", TRAINER + "whoami()"),
    "NormalInitializer": ("PyInitializer", "mean=0.0, var=1.0", ""),
    "NumpyInitializer": ("PyInitializer", "array", ""),
    "ParameterCollection": ("", "parent=None", COLLECTION),
    "Parameters": (
        "Expression",
        None,
        LEARNED + "clip_inplace(left, right)\nexpr(update=False)\npopulate(fname, key)\nset_value(arr)",
    ),
    "PyInitializer": ("", None, ""),
    "RMSPropTrainer": ("Trainer", "m, learning_rate=0.001, eps=1e-08, rho=0.9", TRAINER + "whoami()"),
    "RNNState": (
        "",
        None,
        "add_input(x)\nadd_inputs(xs)\nb()\nh()\noutput()\nprev()\ns()\nset_h(es=None)\nset_s(es=None)\n"
        "transduce(xs)",
    ),
    "SaxeInitializer": ("PyInitializer", "scale=1.0", ""),
    "SimpleRNNBuilder": ("_RNNBuilder", LAYERS, BUILDER + SAVABLE + MASKS + "set_dropouts(d, d_h)"),
    "SimpleSGDTrainer": ("Trainer", "m, learning_rate=0.1", TRAINER + "whoami()"),
    "SoftmaxBuilder": ("", None, SOFTMAX),
    "SparseLSTMBuilder": (
        "_RNNBuilder",
        NORMALIZED,
        BUILDER + SAVABLE + MASKS + "set_dropouts(d, d_r)\nset_sparsity(sparsity)",
    ),
    "StackedRNNState": (
        "",
        "states, prev=None",
        "add_input(x)\nadd_inputs(xs)\nh()\noutput()\nprev()\ns()",
    ),
    "StandardSoftmaxBuilder": ("SoftmaxBuilder", "input_dim, num_classes, pc, bias=True", SOFTMAX),
    "Tensor": (
        "",
        None,
        "argmax(dim=0, num=1)\nas_numpy()\ncategorical_sample_log_prob(dim=0, num=1)\ntopk(dim=0, num=1)",
    ),
    "Trainer": ("", None, TRAINER),
    "UniformInitializer": ("PyInitializer", "scale", ""),
    "UnsignedValue": ("", "val=0", "get()\nset(val)"),
    "UnsignedVectorValue": ("", "vals", "get()\nset(newval)\nsize()"),
    "VanillaLSTMBuilder": ("_RNNBuilder", NORMALIZED, BUILDER + SAVABLE + MASKS + "set_dropouts(d, d_r)"),
    "inputTensorTranspose": ("Expression", 'val, dim=None, batch_size=1, device=""', EVALUATION),
}
