"""The names of DyNet 2: programs find them here."""

import pytest

import dynet as dy

FUNCTIONS = """
abs acos acosh affine_transform argmax asin asinh atan atanh average binary_log_loss block_dropout bmax bmin
cdiv ceil circ_conv circ_corr cmult colwise_add concatenate concatenate_cols concatenate_to_batch
const_parameter constant constrained_softmax contract3d_1d contract3d_1d_1d contract3d_1d_1d_bias
contract3d_1d_bias conv2d conv2d_bias cos cosh cube cumsum dot_product dropout dropout_batch dropout_dim elu
emax erf esum exp filter1d_narrow flip_gradient floor fold_rows hinge hinge_batch hinge_dim huber_distance
inputTensor inputTensorTranspose inputVector inverse kmax_pooling kmh_ngram l1_distance l2_norm layer_norm
lgamma log log_sigmoid log_softmax logdet logistic logsumexp logsumexp_dim lookup lookup_batch max_dim
maxpooling2d mean_batches mean_dim mean_elems min_dim moment_batches moment_dim moment_elems nobackprop
noise one_hot ones pairwise_rank_loss pick pick_batch pick_batch_elem pick_batch_elems pick_range
pickneglogsoftmax pickneglogsoftmax_batch pickrange poisson_loss pow random_bernoulli random_gumbel
random_normal random_uniform rectify reshape round scalarInput scale_gradient select_cols select_rows selu
silu sin sinh softmax softsign sparse_inputTensor sparsemax sqrt square squared_distance squared_norm
std_batches std_dim std_elems strided_select sum_batches sum_dim sum_elems tan tanh to_device
trace_of_product transpose vanilla_lstm_c vanilla_lstm_gates vanilla_lstm_gates_concat
vanilla_lstm_gates_dropout vanilla_lstm_gates_dropout_concat vanilla_lstm_h vecInput weight_norm zeroes
zeros

available_devices cg cg_checkpoint cg_revert cg_version forward get_device_info init init_from_params
inputMatrix load load_generator matInput npvalues parameter renew_cg reset_random_seed save values
"""

CLASSES = """
AdadeltaTrainer AdagradTrainer AdamTrainer AmsgradTrainer BiRNNBuilder ClassFactoredSoftmaxBuilder
CompactVanillaLSTMBuilder ComputationGraph ConstInitializer CoupledLSTMBuilder CyclicalSGDTrainer DeviceInfo
DynetParams Expression FastLSTMBuilder FromFileInitializer GRUBuilder GlorotInitializer IdentityInitializer
LSTMBuilder LookupParameters Model MomentumSGDTrainer NormalInitializer NumpyInitializer ParameterCollection
Parameters PyInitializer RMSPropTrainer RNNState SaxeInitializer SimpleRNNBuilder SimpleSGDTrainer
SparseLSTMBuilder StackedRNNState StandardSoftmaxBuilder Tensor Trainer UniformInitializer
VanillaLSTMBuilder
"""


@pytest.mark.parametrize("name", FUNCTIONS.split())
def test_functions(name):
    assert callable(getattr(dy, name)) and not isinstance(getattr(dy, name), type)


@pytest.mark.parametrize("name", CLASSES.split())
def test_classes(name):
    assert isinstance(getattr(dy, name), type)


def test_the_old_name_of_the_extension():
    import _dynet

    for name in CLASSES.split():
        assert getattr(_dynet, name) is getattr(dy, name)
    assert issubclass(dy.LSTMBuilder, _dynet._RNNBuilder)


def test_versions():
    assert dy.__version__ == dy.__gitversion__ and dy.__precision__ in ("float32", "float64")
