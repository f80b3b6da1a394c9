"""Writes the minibatches of a task as numbers, for the programs in C++."""


def listed(ids):
    """A list with its length before it."""
    return [len(ids), *ids]


def rnnlm_numbers(sentence):
    """The words of a sentence."""
    return listed(sentence)


def tagger_numbers(sentence):
    """Words, tags, and a spelling for each word, which is empty where the word is not rare."""
    words, tags, spellings = sentence
    numbers = listed(words) + listed(tags)
    for spelling in spellings:
        numbers += listed(spelling or [])
    return numbers


def tree_numbers(tree):
    """The label of a node, and then 1 and the word, or 0 and both children."""
    if tree.is_leaf():
        return [tree.label, 1, tree.word]
    return [tree.label, 0, *tree_numbers(tree.left), *tree_numbers(tree.right)]


NUMBERS = {"rnnlm": rnnlm_numbers, "tagger": tagger_numbers, "treelstm": tree_numbers}


def write(task, minibatch, path, batches=None):
    """Writes how many minibatches there are; for each the numbers of sentences and words, and the content."""
    made = task.batches(minibatch)[:batches]
    lines = [str(len(made))]
    for batch in made:
        lines.append(f"{len(batch)} {task.words(batch)}")
        lines += [" ".join(map(str, NUMBERS[task.module](sentence))) for sentence in batch]
    path.write_text("\n".join(lines) + "\n")
