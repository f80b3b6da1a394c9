# The headers that programs written for DyNet 2 include by name: each is the whole of dynet/dynet.h.
set(DYNET2_HEADERS
    aligned-mem-pool c2w cfsm-builder cuda cudnn-ops deep-lstm device-structs devices dict dim dynet-helper except
    exec expr fast-lstm functors globals gpu-kernels gpu-ops grad-check graph gru hsm-builder index-tensor init io
    io-macros lstm matrix-multiply mem model mp node-macros nodes nodes-activations nodes-affinetransform
    nodes-argmax-index nodes-arith-const nodes-arith-cwise nodes-arith-scalar nodes-arith-sum nodes-arith-unary
    nodes-common nodes-concat nodes-const nodes-contract nodes-conv nodes-conv2d nodes-def-macros nodes-dropout
    nodes-flow nodes-hinge nodes-impl-macros nodes-linalg nodes-logsumexp nodes-losses nodes-lstm
    nodes-matrixmultiply nodes-maxpooling2d nodes-minmax nodes-moments nodes-normalization nodes-norms
    nodes-pickneglogsoftmax nodes-random nodes-select nodes-similarities nodes-softmaxes nodes-trig op-helper
    param-init param-nodes pretrain rnn rnn-state-machine saxe-init shadow-params sig simd-functors simple-rnn
    str-util tensor tensor-eigen timing training treelstm virtual-cudnn weight-decay)

# What a program finds under that name only.
set(also_aligned-mem-pool program/memory_pool.h)
set(also_functors program/functors.h)
set(also_io-macros program/io_macros.h)
set(also_mem program/memory_pool.h)
set(also_str-util program/strings.h)

# What DyNet 2 had there and is not here, and what takes its place.
foreach(name cuda cudnn-ops gpu-kernels gpu-ops virtual-cudnn)
  set(missing_${name} "There are no GPUs: nothing of it is here.")
endforeach()
foreach(name matrix-multiply simd-functors tensor-eigen)
  set(missing_${name} "There is no Eigen: as_vector(tensor), Tensor::v and TensorTools read and write numbers.")
endforeach()
foreach(name IN LISTS DYNET2_HEADERS)
  if(name MATCHES "^(nodes?-|param-nodes$|op-helper$)")
    set(missing_${name} "Operations are structs, not classes of nodes: see An operation of one's own in docs/cpp.md.")
  endif()
endforeach()
set(missing_c2w "The builder of words from characters is not here: two LSTMBuilders over the characters are one.")
foreach(name aligned-mem-pool mem)
  set(missing_${name} "Memory grows as it is needed: devices have no pools, and allocators of other memory than the CPU's are not here.")
endforeach()
set(missing_exec "There are no engines to choose: --dynet-autobatch chooses how nodes are batched.")
set(missing_sig "Signatures are the library's own.")

set(DYNET2_FOLDER ${PROJECT_BINARY_DIR}/dynet2)
foreach(name IN LISTS DYNET2_HEADERS)
  set(also "")
  if(also_${name})
    set(also "#include \"dynet/${also_${name}}\"\n")
  endif()
  set(missing "")
  if(missing_${name})
    set(missing "\n// ${missing_${name}}")
  endif()
  file(CONFIGURE OUTPUT ${DYNET2_FOLDER}/dynet/${name}.h @ONLY CONTENT [=[
// DyNet 2 had a part of the library in this header.@missing@
#pragma once

#include "dynet/dynet.h"
@also@]=])
endforeach()
target_include_directories(dynet_flags INTERFACE ${DYNET2_FOLDER})
