"""Networks and their contracts: the only package that runs onnxruntime."""

from .contract import Contract as Contract
from .contract import Precision as Precision
from .contract import Statistics as Statistics
from .contract import TensorSpec as TensorSpec
from .contract import contract_path as contract_path
from .contract import sha256_of as sha256_of
from .contract import weights_path as weights_path
from .fake import FakeNetwork as FakeNetwork
from .session import Network as Network
from .session import Session as Session
