"""The smallest whole program: a network with one hidden layer learns exclusive or."""

import dynet as dy

dy.reset_random_seed(1)
model = dy.ParameterCollection()
hidden, hidden_bias = model.add_parameters((8, 2)), model.add_parameters(8)
weights, bias = model.add_parameters((1, 8)), model.add_parameters(1)
trainer = dy.SimpleSGDTrainer(model, 0.5)
cases = [((x, y), x != y) for x in (0, 1) for y in (0, 1)]


def chance(inputs):
    """How likely the network holds the answer to be yes."""
    x = dy.inputVector(inputs)
    return dy.logistic(bias + weights * dy.tanh(hidden_bias + hidden * x))


for step in range(300):
    dy.renew_cg()
    losses = [dy.binary_log_loss(chance(inputs), dy.scalarInput(yes)) for inputs, yes in cases]
    loss = dy.esum(losses)
    if step % 50 == 0:
        print(f"step {step}: loss {loss.scalar_value():.4f}")
    loss.backward()
    trainer.update()

dy.renew_cg()
for inputs, yes in cases:
    print(inputs, f"{chance(inputs).scalar_value():.3f}", "right:", int(yes))
