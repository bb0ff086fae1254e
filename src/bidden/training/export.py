"""From a checkpoint to ONNX files with contracts: fp32, int8, and how they compare.

`python -m bidden.training.export --checkpoint runs/grounding/grounding.pt`
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from torch import Tensor, nn

from bidden.brain.models import Contract, Session, TensorSpec, contract_path, sha256_of
from bidden.brain.models.contract import SCHEMA, WEIGHTS_DIR
from bidden.brain.perception.preprocess import CHANNELS, NATIVE_PX, SIZE_PX, STRIDE

from .behaviour.train import load as load_action
from .grounding.batches import Batch, BatchConfig, GroundingSet, Sampler
from .grounding.calibration import calibrate
from .grounding.losses import Grounding
from .grounding.phrases import PhraseBank
from .grounding.train import load_averaged
from .nets.action import ActionDecoder, FusionAndAction

OPSET = 17
# last layers, where a point or a choice is read off
EXACT = ("/heat/", "/vote/", "/squeeze", "/paint/", "/belongs/")
Feed = dict[str, NDArray[np.float32]]
Specs = tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]


def _spec(
    name: str, shape: Sequence[int | str], meaning: str, unit: str = "1"
) -> TensorSpec:
    return TensorSpec(
        name=name, shape=tuple(shape), dtype="float32", meaning=meaning, unit=unit
    )


def vision_specs(
    net: Grounding,
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of `vision.onnx`."""
    c, side = net.vision.config, SIZE_PX // STRIDE
    image = _spec(
        "image",
        (1, CHANNELS, SIZE_PX, SIZE_PX),
        "red, green, blue, inverse depth, height",
    )
    features = _spec(
        "features", (1, c.features, side, side), "fine map, without language"
    )
    tokens = _spec(
        "tokens", (1, (SIZE_PX // 16) ** 2, c.width), "coarse grid, row by row"
    )
    return (image,), (features, tokens)


def fusion_specs(
    net: Grounding,
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of `fusion.onnx`."""
    features, tokens = vision_specs(net)[1]
    c = net.fusion.config
    inputs = (
        features,
        tokens,
        _spec("native", (1, 4, NATIVE_PX, NATIVE_PX), "normalised colour; depth [m]"),
        _spec("camera", (1, 4), "fx, fy, cx, cy of the native image", "px"),
        _spec("up", (1, 3), "direction against gravity, camera frame"),
        _spec("phrases", ("Q", 16, c.words), "MiniLM token vectors of noun phrases"),
        _spec("mask", ("Q", 16), "1 for tokens, 0 for padding"),
    )
    k = c.n_peaks
    outputs = (
        _spec("point", ("Q", 3), "where the named thing is, camera frame", "m"),
        _spec("spread", ("Q",), "one standard deviation of the point, radial", "m"),
        _spec("confidence", ("Q",), "probability that it is the named thing"),
        _spec("pixel", ("Q", 2), "where the point appears in the native image", "px"),
        _spec("candidates", ("Q", k, 3), "all places that got a close look", "m"),
        _spec("scores", ("Q", k), "probability that each is the named thing"),
        _spec("local", ("Q", c.local), "features of the best close look"),
    )
    return inputs, outputs


def policy_specs(
    net: Grounding, action: ActionDecoder
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of `fusion.onnx` with the action heads in it."""
    inputs, outputs = fusion_specs(net)
    c = action.config
    chunk = (1, c.steps, 12)
    return (
        (*inputs, _spec("belief", (1, c.features), "brain.policy.belief.features")),
        (
            *outputs,
            _spec("actions", chunk, "chunk, columns are core.messages.ACTION_NAMES"),
            _spec("action_spread", chunk, "one standard deviation of each number"),
        ),
    )


def write_onnx(
    net: nn.Module, path: Path, *, example: Feed,
    specs: tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]],
) -> None:  # fmt: skip
    """Trace a network into an ONNX file with the names and free sizes of its specs."""
    free = {
        s.name: {i: d for i, d in enumerate(s.shape) if isinstance(d, str)}
        for side in specs
        for s in side
    }
    inputs = tuple(torch.from_numpy(example[s.name]) for s in specs[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that we mean
        torch.onnx.export(
            net.eval(), inputs, str(path), opset_version=OPSET, dynamo=False,
            input_names=[s.name for s in specs[0]],
            output_names=[s.name for s in specs[1]],
            dynamic_axes={k: v for k, v in free.items() if v},
        )  # fmt: skip


def write_contract(
    path: Path, *, specs: tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]],
    version: str, figures: dict[str, float],
) -> None:  # fmt: skip
    """Write the contract that stands beside an ONNX file."""
    Contract(
        schema=SCHEMA, name=path.stem, version=version,
        sha256=sha256_of(path.read_bytes()), inputs=specs[0], outputs=specs[1],
        made_by="make train", figures=figures,
    ).save(contract_path(path))  # fmt: skip


class _Feeds(CalibrationDataReader):
    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def quantise(
    source: Path, target: Path, *, feeds: Sequence[Feed], keep: Sequence[str] = ()
) -> None:
    """Static int8 of the convolutions: per channel, and 7 bits where sums saturate.

    Nodes whose name holds one of `keep` stay exact.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        nodes = onnx.load(str(ready)).graph.node
        exact = [n.name for n in nodes if any(k in n.name for k in keep)]
        quantize_static(
            str(ready), str(target), _Feeds(feeds),
            quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"], nodes_to_exclude=exact,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False},
        )  # fmt: skip


def feeds_of(
    net: Grounding, data: GroundingSet, bank: PhraseBank, *, n: int
) -> tuple[list[Feed], list[Feed]]:
    """Inputs of both networks for n development pictures, three phrases each."""
    config = BatchConfig(images=1, extra=0, crops=1, depth_dropout=0.05, shift_px=0)
    sampler = Sampler(data, bank, config=config, seed=5)
    vision: list[Feed] = []
    fusion: list[Feed] = []
    while len(vision) < n:
        b = sampler.draw()
        if len(b.owner) >= 3:
            with torch.no_grad():
                features, tokens = net.vision(b.image)
            vision.append({"image": b.image.numpy()})
            fusion.append(_fusion_feed(b, features, tokens))
    return vision, fusion


def _fusion_feed(b: Batch, features: Tensor, tokens: Tensor) -> Feed:
    return {
        "features": features.numpy(),
        "tokens": tokens.numpy(),
        "native": b.native.numpy(),
        "camera": b.camera.numpy(),
        "up": b.up.numpy(),
        "phrases": b.phrases[:3].numpy(),
        "mask": b.mask[:3].numpy(),
    }


def export(
    net: Grounding, action: ActionDecoder, *, out: Path, data: GroundingSet,
    bank: PhraseBank, beliefs: NDArray[np.float32], version: str,
) -> None:  # fmt: skip
    """Write both networks in both precisions, each with its contract."""
    out.mkdir(parents=True, exist_ok=True)
    vision_feeds, fusion_feeds = feeds_of(net, data, bank, n=48)
    for feed, belief in zip(fusion_feeds, beliefs, strict=False):
        feed["belief"] = belief[None]
    both = FusionAndAction(net.fusion, action)
    work: tuple[tuple[nn.Module, str, list[Feed], Specs], ...] = (
        (net.vision, "vision", vision_feeds, vision_specs(net)),
        (both, "fusion", fusion_feeds, policy_specs(net, action)),
    )
    for module, name, feeds, specs in work:
        path, small = out / f"{name}.onnx", out / f"{name}_int8.onnx"
        write_onnx(module, path, example=feeds[0], specs=specs)
        with torch.no_grad():
            want = [
                module(*(torch.from_numpy(f[s.name]) for s in specs[0]))
                for f in feeds[:8]
            ]
        write_contract(path, specs=specs, version=version, figures={})
        gap = compare(path, feeds[:8], want)
        write_contract(path, specs=specs, version=version, figures=gap)
        quantise(path, small, feeds=feeds, keep=EXACT)
        write_contract(small, specs=specs, version=version, figures={})
        gap = compare(small, feeds[:8], want)
        write_contract(small, specs=specs, version=version, figures=gap)


def compare(
    path: Path, feeds: Sequence[Feed], want: Sequence[Sequence[Tensor]]
) -> dict[str, float]:
    """Cosine between each output of the file and of torch, over some pictures."""
    session = Session.load(path)
    names = [s.name for s in session.contract.outputs]
    found: dict[str, float] = {}
    for i, name in enumerate(names):
        a = np.concatenate([session.run(f)[name].ravel() for f in feeds])
        b = np.concatenate([w[i].numpy().ravel() for w in want])
        cosine = float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))
        found[f"cosine_{name}"] = round(cosine, 6)
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--checkpoint", type=Path, default=Path("runs/grounding/grounding.pt")
    )
    parser.add_argument(
        "--behaviour", type=Path, default=Path("runs/behaviour/behaviour4.pt")
    )
    parser.add_argument("--data", type=Path, default=Path("data/grounding_dev"))
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR)
    parser.add_argument("--version", default="1")
    a = parser.parse_args()
    torch.set_num_threads(1)
    net = load_averaged(a.checkpoint)
    data, bank = GroundingSet(a.data), PhraseBank(a.checkpoint.parent / "phrases.npz")
    print(calibrate(net, data, bank))  # noqa: T201
    files = sorted(a.behaviour.parent.glob("round*/*.npz"))[:40]
    beliefs = np.concatenate([np.load(f, allow_pickle=False)["x"][::7] for f in files])
    beliefs = np.random.default_rng(1).permutation(beliefs)
    export(
        net, load_action(a.behaviour).eval(), out=a.out, data=data, bank=bank,
        beliefs=beliefs, version=a.version,
    )  # fmt: skip


if __name__ == "__main__":
    main()
