"""Draws pictures with matplotlib, or says in one line that matplotlib is missing."""


def learning_curve(file, epochs, baseline, title):
    """Draws (loss, accuracy, words a second), one triple an epoch, beside the baseline's score."""
    if (picture := _picture(file, (12, 3.6))) is None:
        return
    losses, accuracies, speeds = zip(*epochs, strict=True)
    numbers = range(1, len(epochs) + 1)
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


def attention_picture(file, attention, pair):
    """Draws the attention of each English word (row) to each Greek one, the links ringed."""
    if (picture := _picture(file, (7, 6))) is None:
        return
    axes = picture.subplots()
    axes.imshow(attention, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(pair.greek)), [word.text for word in pair.greek], rotation=90)
    axes.set_yticks(range(len(pair.english)), pair.english)
    rows, columns = zip(*sorted(pair.links), strict=True)
    axes.scatter(columns, rows, s=120, facecolors="none", edgecolors="orange", label="by hand")
    axes.legend(loc="upper right")
    picture.savefig(file, dpi=120)
    print(f"attention: {file}")


def gallery(file, rows, title):
    """Draws rows of pictures, arrays of numbers from 0 (white) to 1 (black)."""
    if (picture := _picture(file, (len(rows[0]), len(rows) + 0.5))) is None:
        return
    picture.suptitle(title)
    grid = picture.subplots(len(rows), len(rows[0]), squeeze=False)
    for axes, pixels in zip(grid.flat, (pixels for row in rows for pixels in row), strict=True):
        axes.imshow(pixels, cmap="Greys", vmin=0, vmax=1)
        axes.set_axis_off()
    picture.savefig(file, dpi=120)
    print(f"pictures: {file}")


def _picture(file, size):
    """An empty picture of that many inches, or None where there is no matplotlib."""
    try:
        from matplotlib import figure
    except ImportError:
        print(f"{file} was not drawn: it needs matplotlib (python -m pip install matplotlib)")
        return None
    return figure.Figure(figsize=size, layout="constrained")
