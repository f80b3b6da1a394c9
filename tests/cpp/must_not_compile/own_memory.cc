// Attributes that own memory, which nodes cannot hold.
// The error must say: constraints not satisfied|is_trivially_copyable
#include "dynet/dynet.h"

using namespace dynet;
using namespace dynet::engine;

struct Listed : OpDefaults {
  struct Attrs {
#ifdef MENDED
    unsigned list;
#else
    std::vector<unsigned> list;
#endif
  };
  static constexpr auto name = "listed", doc = "Holds a list.";
  static Dim shape(const Attrs&, Dims x) { return x[0]; }
  static void forward(const Attrs&, Engine&, const Call&) {}
};

Expression make(const Expression& x) { return apply<Listed>(x, Listed::Attrs{{1}}); }
