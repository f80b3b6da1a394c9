// Everything a C++ program needs of DyNet.
#pragma once

#include "dynet/io/safetensors.h"
#include "dynet/io/text.h"
#include "dynet/nn/bidirectional.h"
#include "dynet/nn/coupled_lstm.h"
#include "dynet/nn/gru.h"
#include "dynet/nn/lstm.h"
#include "dynet/nn/simple.h"
#include "dynet/nn/state.h"
#include "dynet/ops/all.h"
#include "dynet/params/collection.h"
#include "dynet/run/computation_graph.h"
#include "dynet/train/trainer.h"
