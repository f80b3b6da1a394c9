"""The steps of random programs: how often each is drawn, and its count of numbers. Simple ones first."""

STEPS = {
    "input": (2, 3),
    "parameter": (2, 2),
    "lookup": (2, 2),
    "value": (3, 1),
    "elementwise": (4, 2),
    "pair": (5, 4),
    "product": (4, 3),
    "operation": (12, 4),
    "backward": (3, 3),
    "update": (1, 0),
    "values": (1, 2),
    "again": (1, 1),
    "renew": (1, 0),
    "checkpoint": (1, 0),
    "revert": (2, 0),
    "stale": (1, 2),
    "other_graph": (1, 0),
    "set_input": (1, 1),
    "set_row": (1, 2),
    "resized": (1, 2),
    "cell": (2, 3),
    "function": (1, 3),
    "recurrent": (2, 4),
    "softmax_layer": (1, 2),
}
START = 5  # The numbers a program starts with: seed, batch size, shapes, trainer, dropout.
LARGEST = 255
