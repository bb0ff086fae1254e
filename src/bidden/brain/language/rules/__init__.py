"""May this be asked? Words judged before anything moves."""

from .gate import InstructionGate as InstructionGate
from .gate import Judgement as Judgement
from .gate import Verdict as Verdict
from .records import judge_lines as judge_lines
