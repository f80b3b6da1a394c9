"""Training with a loop that is there already: progress, scores, checkpoints, learning rates."""

__all__: list[str] = []
