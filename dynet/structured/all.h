// All programs.
#pragma once

#include "dynet/structured/arcs.h"
#include "dynet/structured/brackets.h"
#include "dynet/structured/chain.h"
#include "dynet/structured/choices.h"
#include "dynet/structured/ctc.h"
#include "dynet/structured/lattice.h"
#include "dynet/structured/segments.h"
