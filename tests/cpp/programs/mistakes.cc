// Makes the mistakes of tests/examples/mistakes.py and prints what each is told.
#include <functional>
#include <iostream>
#include <stdexcept>
#include <typeinfo>

#include "dynet/dynet.h"

using namespace std;
using namespace dynet;

void mistake(const function<void()>& call) {
  try {
    call();
    cout << "nothing" << endl;
  } catch (const invalid_argument& error) {
    cout << "ValueError: " << error.what() << endl;
  } catch (const out_of_range& error) {
    cout << "IndexError: " << error.what() << endl;
  } catch (const runtime_error& error) {
    cout << "RuntimeError: " << error.what() << endl;
  }
}

int main() {
  ParameterCollection m;
  Parameter W = m.add_parameters({3, 4});
  LookupParameter table = m.add_lookup_parameters(5, {2});
  LSTMBuilder lstm(1, 2, 3, m);
  AdamTrainer trainer(m);
  ComputationGraph cg;
  const Expression v = input(cg, {2}, {1, 2}), w = parameter(cg, W);
  mistake([&] { w* v; });
  mistake([&] { v + input(cg, {3}, {1, 2, 3}); });
  mistake([&] { pick(v, 7); });
  mistake([&] { pickneglogsoftmax(v, 2); });
  mistake([&] { lookup(cg, table, 9); });
  mistake([&] { concatenate({v, v}, 9); });
  mistake([&] { reshape(v, {3}); });
  mistake([&] { dropout(v, 2); });
  mistake([&] { sum(vector<Expression>()); });
  mistake([&] { v.backward(); });
  mistake([&] { m.add_parameters({2}, "a/b"); });
  mistake([&] { TextFileLoader("no such file").populate(m); });
  mistake([&] { trainer.exponential_moving_average(0.9, 0); });
  mistake([&] {
    cg.clear();
    tanh(v);
  });
}
