"""A network runs only if its contract holds, and only on what it promises to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bidden.brain.models import (
    Contract,
    FakeNetwork,
    Session,
    Statistics,
    TensorSpec,
    contract_path,
    sha256_of,
    weights_path,
)
from bidden.core.errors import ModelError, ShapeError


def spec(name: str, shape: tuple[int | str, ...], statistics: str = "") -> TensorSpec:
    return TensorSpec(
        name=name, shape=shape, dtype="float32", meaning="test", statistics=statistics
    )


ADD = (helper.make_node("Add", ["x", "c"], ["y"]),)
ADD_AND_TURN = (
    helper.make_node("Add", ["x", "c"], ["sum"]),
    helper.make_node("Neg", ["sum"], ["y"]),
)


def make_network(
    folder: Path, nodes: tuple[onnx.NodeProto, ...] = ADD, **changes: object
) -> Path:
    """y = x + c (or as `nodes` say) over (B, 3) with a contract beside it."""
    kinds = [("x", ["B", 3]), ("c", ["B", 3]), ("y", ["B", 3])]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in kinds]
    graph = helper.make_graph(nodes, "add", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    path = folder / "add.onnx"
    onnx.save(model, path)
    fields = {
        "schema": 1,
        "name": "add",
        "version": "1",
        "sha256": sha256_of(path.read_bytes()),
        "inputs": (spec("x", ("B", 3)), spec("c", ("B", 3))),
        "outputs": (spec("y", ("B", 3)),),
    } | changes
    Contract(**fields).save(contract_path(path))  # type: ignore[arg-type]
    return path


def ones(rows: int, columns: int = 3) -> np.ndarray:
    return np.ones((rows, columns), np.float32)


def test_a_network_with_a_true_contract_runs(tmp_path: Path) -> None:
    session = Session.load(make_network(tmp_path))
    y = session.run({"x": ones(2), "c": ones(2)})["y"]
    np.testing.assert_array_equal(y, 2 * ones(2))


def test_statistics_apply_on_both_sides(tmp_path: Path) -> None:
    table = {"s": Statistics(mean=(1, 2, 3), std=(2, 2, 2))}
    path = make_network(
        tmp_path,
        inputs=(spec("x", ("B", 3), "s"), spec("c", ("B", 3))),
        outputs=(spec("y", ("B", 3), "s"),),
        statistics=table,
    )
    x = np.array([[4.0, 5.0, 6.0]], np.float32)
    y = Session.load(path).run({"x": x, "c": 0 * x})["y"]
    np.testing.assert_allclose(y, x, rtol=1e-6)


def test_one_changed_byte_is_refused_with_both_hashes(tmp_path: Path) -> None:
    path = make_network(tmp_path)
    data = bytearray(path.read_bytes())
    before = sha256_of(bytes(data))
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError) as caught:
        Session.load(path)
    for word in (str(path), before, sha256_of(bytes(data)), "make train"):
        assert word in str(caught.value)


def test_no_contract_no_network(tmp_path: Path) -> None:
    path = make_network(tmp_path)
    contract_path(path).unlink()
    with pytest.raises(ModelError, match="no contract at"):
        Session.load(path)


def test_no_file_says_so(tmp_path: Path) -> None:
    path = make_network(tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match="no network at"):
        Session.load(path)


def test_unknown_key_in_the_contract_is_refused(tmp_path: Path) -> None:
    path = make_network(tmp_path)
    text = contract_path(path).read_text().replace('"version"', '"versoin"')
    contract_path(path).write_text(text)
    with pytest.raises(ModelError, match="versoin"):
        Session.load(path)


def test_missing_statistic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs the statistic 's', known: none"):
        make_network(tmp_path, outputs=(spec("y", ("B", 3), "s"),))


@pytest.mark.parametrize(
    "inputs",
    [
        (spec("x", ("B", 3)),),
        (spec("x", ("B", 3)), spec("c", ("B", 3)), spec("d", ("B", 3))),
        (spec("x", ("B", 4)), spec("c", ("B", 3))),
        (spec("x", ("B", 3, 1)), spec("c", ("B", 3))),
    ],
)
def test_signature_must_match(tmp_path: Path, inputs: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(ModelError, match="input"):
        Session.load(make_network(tmp_path, inputs=inputs))


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"x": ones(1)}, "needs inputs"),
        ({"x": ones(1), "c": ones(1), "d": ones(1)}, "needs inputs"),
        ({"x": ones(1), "c": ones(2)}, "with B=1, got shape"),
        ({"x": ones(1, 4), "c": ones(1)}, "got shape"),
        ({"x": ones(1)[0], "c": ones(1)}, "got shape"),
        ({"x": ones(1).astype(np.float64), "c": ones(1)}, "got float64"),
        ({"x": ones(1) * np.nan, "c": ones(1)}, "finite"),
    ],
)
def test_bad_inputs_stop_at_the_boundary(
    tmp_path: Path, inputs: dict[str, np.ndarray], text: str
) -> None:
    session = Session.load(make_network(tmp_path))
    with pytest.raises(ShapeError, match=text):
        session.run(inputs)


def test_fake_has_the_contract_of_the_real_one(tmp_path: Path) -> None:
    contract = Session.load(make_network(tmp_path)).contract
    fake = FakeNetwork(contract, 0.5)
    np.testing.assert_array_equal(
        fake.run({"x": ones(4), "c": ones(4)})["y"], 0.5 * ones(4)
    )
    with pytest.raises(ShapeError, match="finite"):
        fake.run({"x": ones(1) * np.inf, "c": ones(1)})


def test_shipped_paths_say_their_precision() -> None:
    assert weights_path("vision").name == "vision_int8.onnx"
    assert weights_path("vision", "fp32").name == "vision.onnx"


def test_values_inside_a_graph_may_be_read_too(tmp_path: Path) -> None:
    outputs = (spec("y", ("B", 3)), spec("sum", ("B", 3)))
    path = make_network(tmp_path, ADD_AND_TURN, outputs=outputs, inner=("sum",))
    found = Session.load(path).run({"x": ones(2), "c": 2 * ones(2)})
    np.testing.assert_array_equal(found["sum"], 3 * ones(2))
    np.testing.assert_array_equal(found["y"], -3 * ones(2))


@pytest.mark.parametrize("name", ["nowhere", "n" * 200])
def test_no_value_of_that_name_is_refused(tmp_path: Path, name: str) -> None:
    outputs = (spec("y", ("B", 3)), spec(name, ("B", 3)))
    with pytest.raises(ModelError):
        Session.load(make_network(tmp_path, outputs=outputs, inner=(name,)))
