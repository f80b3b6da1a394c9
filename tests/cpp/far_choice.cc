// Linked into the extension that only tests load: with DYNET_FAR_MEMORY=1 everything computes on the far
// engine.
#include <cstdlib>
#include <string_view>

#include "tests/cpp/far_engine.h"

namespace dynet::engine {
namespace {

[[maybe_unused]] const bool is_far = [] {
  const char* const asked = std::getenv("DYNET_FAR_MEMORY");
  const bool far = asked && std::string_view(asked) == "1";
  if (far) choose_engine(far_engine());
  return far;
}();

}  // namespace
}  // namespace dynet::engine
