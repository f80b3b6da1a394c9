"""Model files as arrays by name: no array hides another, and what is damaged is refused in a sentence."""

import zipfile

import numpy as np
import pytest
from test_command import call

import dynet as dy


def test_npz_names_that_numpy_takes_for_one(capsys, tmp_path):
    """a.npy is also the file in which a is: what NumPy wrote is read, and is not written."""
    path, other = tmp_path / "a.npz", tmp_path / "b.npz"
    np.savez(path, **{"a": np.zeros(2), "a.npy": np.ones(3)})
    arrays = dy.export.read(path)
    assert {name: array.tolist() for name, array in arrays.items()} == {"a": [0, 0], "a.npy": [1, 1, 1]}
    other.write_text("as it was")
    with pytest.raises(ValueError, match=r"write: the names a and a\.npy are one for NumPy"):
        dy.export.write(other, arrays)
    code, _, err = call(capsys, "convert", path, other)
    assert code == 2
    assert "are one for NumPy" in err
    with pytest.raises(ValueError, match="NUL"):
        dy.export.write(other, {"a\0b": np.zeros(2)})
    assert other.read_text() == "as it was"
    assert call(capsys, "convert", path, tmp_path / "c.safetensors")[0] == 0
    assert list(dy.export.read(tmp_path / "c.safetensors")) == ["a", "a.npy"]


def test_names_that_are_there_twice(tmp_path):
    """As a text may have them; a dict would keep one."""
    path = tmp_path / "a.model"
    made = dy.ParameterCollection()
    made.add_parameters(2, init=1, name="x")
    made.save(path)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(RuntimeError, match=r"read: .*a\.model has two arrays with the name /x"):
        dy.export.read(path)


def test_damaged_npz(tmp_path):
    """Cut anywhere, or with any byte changed, it is what it was or refused in one way."""
    path, arrays = tmp_path / "a.npz", {"x": np.arange(4.0), "y": np.ones((2, 2), np.int64)}
    np.savez_compressed(path, **arrays)
    good = path.read_bytes()
    damaged = [good[:end] for end in range(1, len(good), 7)]
    damaged += [good[:at] + bytes([good[at] ^ 0x5A]) + good[at + 1 :] for at in range(len(good))]
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            found = dy.export.read(path)
        except RuntimeError as error:
            assert "no .npz file" in str(error)
            refused += 1
        else:
            assert [array.tolist() for array in found.values()] == [[0, 1, 2, 3], [[1, 1], [1, 1]]]
    assert refused > len(damaged) / 2


@pytest.mark.parametrize("ending", ["", ".ckpt", ".npz", ".pt", ".safetensors"])
def test_checkpoints_of_fit(capsys, tmp_path, ending):
    """They are archives of arrays, too, but no model files."""
    model = dy.ParameterCollection()
    w, path = model.add_parameters(3), tmp_path / f"training{ending}"

    def loss(x):
        return dy.squared_distance(w, dy.inputVector(x))

    trainer = dy.SimpleSGDTrainer(model)
    dy.fit(model, trainer, [[1, 2, 3], [1, 1, 1]], loss, epochs=1, checkpoint=path, progress=False)
    code, out, err = call(capsys, "show", path)
    assert (code, out) == (2, "")
    assert (
        "is a checkpoint of dy.fit; training goes on from it with dy.fit(…, checkpoint=…, resume=True)" in err
    )
    with pytest.raises(RuntimeError, match=r"a checkpoint of dy\.fit"):
        dy.export.read(path)


def test_npz_with_other_files(capsys, tmp_path):
    """No bytes are printed for arrays."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", bytes(range(256)))
    code, out, err = call(capsys, "show", path)
    assert (code, out) == (2, "")
    assert "no .npz file of plain arrays" in err
    assert err.strip().isprintable()
