"""Draws a learning curve with matplotlib, or says in one line that matplotlib is missing."""


def learning_curve(file, epochs, baseline, title):
    """Draws (loss, accuracy, words a second), one triple an epoch, beside the baseline's score."""
    try:
        from matplotlib import figure
    except ImportError:
        print(f"{file} was not drawn: it needs matplotlib (python -m pip install matplotlib)")
        return
    losses, accuracies, speeds = zip(*epochs, strict=True)
    numbers = range(1, len(epochs) + 1)
    picture = figure.Figure(figsize=(12, 3.6), layout="constrained")
    picture.suptitle(title)
    score, loss, speed = picture.subplots(1, 3)
    score.plot(numbers, [100 * accuracy for accuracy in accuracies], "o-", label="this tagger")
    score.axhline(100 * baseline, color="grey", linestyle="--", label="most frequent tag of a word")
    score.set_ylabel("held-out words tagged right (%)")
    score.legend(loc="center right")
    loss.plot(numbers, losses, "o-")
    loss.set_ylabel("training loss (nats a word)")
    loss.set_ylim(bottom=0)
    speed.plot(numbers, speeds, "o-")
    speed.set_ylabel("training speed (words/s)")
    speed.set_ylim(bottom=0)
    for axes in (score, loss, speed):
        axes.set_xlabel("epoch")
        axes.set_xticks(numbers)
        axes.grid(alpha=0.3)
    picture.savefig(file, dpi=120)
    print(f"learning curve: {file}")
