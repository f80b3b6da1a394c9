# The headers that programs written for DyNet 2 include by name: each is the whole of dynet/dynet.h.
set(DYNET2_HEADERS
    aligned-mem-pool cfsm-builder deep-lstm device-structs devices dict dim except exec expr fast-lstm globals
    grad-check graph gru hsm-builder index-tensor init io lstm mem model mp nodes param-init pretrain rnn
    rnn-state-machine saxe-init shadow-params sig simple-rnn str-util tensor timing training treelstm weight-decay)
set(DYNET2_FOLDER ${PROJECT_BINARY_DIR}/dynet2)
foreach(name IN LISTS DYNET2_HEADERS)
  file(CONFIGURE OUTPUT ${DYNET2_FOLDER}/dynet/${name}.h @ONLY CONTENT [=[
// DyNet 2 had a part of the library in this header.
#pragma once

#include "dynet/dynet.h"
]=])
endforeach()
target_include_directories(dynet_flags INTERFACE ${DYNET2_FOLDER})
