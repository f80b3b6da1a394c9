// Reading shapes.
#include "dynet/core/dim.h"

namespace dynet {

using namespace engine;

std::istream& operator>>(std::istream& in, Dim& dim) {
  Dim read;
  char mark = 0;
  if (!(in >> mark) || mark != '{') in.setstate(std::ios::failbit);
  while (in && (in >> std::ws).peek() != '}') {
    if (in.peek() == 'X') {
      in >> mark >> read.bd;
      break;
    }
    if (in.peek() == ',') in >> mark;
    unsigned size = 0;
    if (read.nd == Dim::max_dims || !(in >> size)) {
      in.setstate(std::ios::failbit);
      break;
    }
    read.d[read.nd++] = size;
  }
  if (in && in >> mark && mark == '}')
    dim = read;
  else
    in.setstate(std::ios::failbit);
  return in;
}

}  // namespace dynet
