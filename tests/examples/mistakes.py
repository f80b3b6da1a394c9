"""Makes the mistakes of tests/cpp/programs/mistakes.cc and prints what each is told."""

import dynet as dy


def mistake(call):
    try:
        call()
        print("nothing")
    except (ValueError, IndexError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}")


def stale():
    dy.renew_cg()
    dy.tanh(v)


model = dy.ParameterCollection()
w = model.add_parameters((3, 4))
table = model.add_lookup_parameters((5, 2))
lstm = dy.LSTMBuilder(1, 2, 3, model)
trainer = dy.AdamTrainer(model)
dy.renew_cg()
v = dy.inputVector([1, 2])
mistake(lambda: w * v)
mistake(lambda: v + dy.inputVector([1, 2, 3]))
mistake(lambda: dy.pick(v, 7))
mistake(lambda: dy.pickneglogsoftmax(v, 2))
mistake(lambda: dy.lookup(table, 9))
mistake(lambda: dy.concatenate([v, v], 9))
mistake(lambda: dy.reshape(v, (3,)))
mistake(lambda: dy.dropout(v, 2))
mistake(lambda: dy.esum([]))
mistake(lambda: v.backward())
mistake(lambda: model.add_parameters(2, name="a/b"))
mistake(lambda: model.populate("no such file"))
mistake(lambda: trainer.exponential_moving_average(0.9, 0))
mistake(stale)
