"""What a training run is: one frozen object, read from one YAML file.

Anything that changes the *weights' shape* belongs in `vlm.VlmConfig`; anything that changes how a run behaves
belongs here. There are no environment variables and no defaults hidden in the loop.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from vlm.run_config import RunConfig

from .metrics import Metric
from .readers.config import RowsConfig


class LoraSettings(RunConfig):
    """Low-rank updates of frozen linear layers (https://arxiv.org/abs/2106.09685), in peft's words."""

    rank: int = Field(8, gt=0)
    alpha: float = Field(16.0, gt=0)  # the update is scaled by alpha / rank
    dropout: float = Field(0.0, ge=0, lt=1)
    use_rslora: bool = False  # alpha / sqrt(rank) in place of alpha / rank (https://arxiv.org/abs/2312.03732)
    use_dora: bool = False  # direction and size apart, slower (https://arxiv.org/abs/2402.09353)
    target_modules: str = r".*language_model\..*\.self_attn\.(q|v)_proj"  # a regex; vision_tower is another choice


class PreferenceSettings(RunConfig):
    """Learning which of two answers is better (train/preference.py)."""

    beta: float = Field(0.1, gt=0)  # how dear it is to stray from the model as it was


class SourceConfig(RowsConfig):
    """Where rows of training data come from: a family that `train/data_engine` draws, or files of one's own."""

    family: str | None = None
    types: frozenset[str] | None = None  # of a family: only questions of these types; None: of all
    weight: float = Field(1.0, gt=0)  # how often this source is asked, relative to the others
    # Of files: the share of rows (at most 1,000) that is never trained on. They are chosen by their pictures and the
    # run's seed, and no picture is on both sides (train/holding_out.py). 0: measure on rows that are trained on.
    held_out: float = Field(0.1, ge=0, le=0.5)
    hints: float = Field(0.0, ge=0, le=1)  # the share of rows with what is read in their pictures (see vlm/hints)

    @model_validator(mode="after")
    def _one_kind(self) -> "SourceConfig":
        if [self.family, self.path, self.dataset].count(None) != 2:
            raise ValueError(
                "a data source has either `family` (drawn), or `path` (a file or folder), or `dataset` (of the hub)"
            )
        if self.types is not None and self.family is None:
            raise ValueError("`types` chooses among the questions of a `family`; a file is read as it is")
        return self


class TrainConfig(RunConfig):
    """Training of the adapters: projector, cross-attention, and a LoRA where asked for."""

    model: str  # a YAML of parts (adapters start new), or what `vlm.load` takes (its adapters go on)
    adapter: str | None = None  # with a YAML of parts: a trained adapter that goes on
    data: tuple[SourceConfig, ...] = Field(min_length=1)
    skip_bad: bool = False  # go on without rows that cannot be trained on; else they are named and nothing starts
    output_dir: Path
    # Before the first step the projector alone learns the words of what stands in each patch: see train/alignment.py.
    alignment_steps: int = Field(0, ge=0)
    alignment_batch_size: int = Field(32, gt=0)  # pictures per alignment step
    # After that the cross-attention blocks learn where to look for what a question names: see train/looking.py.
    looking_steps: int = Field(0, ge=0)
    looking_rows: int = Field(0, ge=0)  # pictures per training step on which that is kept up, once it has been learnt
    max_steps: int = Field(gt=0)
    global_batch_size: int = Field(16, gt=0)  # rows (pictures with all their questions) per step, over all devices
    micro_batch_size: int = Field(1, gt=0)  # rows per forward pass on one device
    # Pairs that would make a row longer start another one; one that is longer alone is cut (train/truncation.py).
    max_row_tokens: int = Field(1024, gt=0)
    learning_rate: float = Field(5e-4, gt=0)
    lora_learning_rate: float = Field(2e-4, gt=0)
    # Of what alignment and looking have taught, so that the first steps of the rest do not undo it. None: as the rest.
    aligned_learning_rate: float | None = Field(None, gt=0)
    # Gates start at zero and everything behind them learns as they open: in a short run they need a pace of their own.
    gate_learning_rate: float = Field(5e-3, gt=0)
    # Where the gates of the attention stand at the first step, before tanh. Closed ones let nothing of the picture
    # through, and the blocks learn to guess from the text before they learn to look.
    initial_attn_gate: float | None = Field(None, ge=0)  # None: as they are in the model
    train_gates: bool = True  # those of the cross-attention, where that is trained; false: they stay where they stand
    encoder_learning_rate: float = Field(1e-5, gt=0)  # of the vision tower, where it is trained whole
    warmup_steps: int = Field(0, ge=0)
    schedule: Literal["cosine", "constant"] = "cosine"  # after the warm-up: down to a tenth, or as it is
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    # How the frozen language model is kept: `nf4` (QLoRA, https://arxiv.org/abs/2305.14314) takes an eighth of fp32.
    quantization: Literal["none", "nf4"] = "none"
    precision: Literal["fp32", "bf16", "auto"] = "fp32"  # auto: what this machine is faster in
    gradient_checkpointing: bool = False  # compute every layer twice, and keep far less of it in memory
    seed: int = 0
    save_every: int = Field(100, gt=0)  # steps between checkpoints
    keep_checkpoints: int = Field(3, gt=0)  # the last ones; older ones are removed
    eval_every: int = Field(50, gt=0)  # steps between measurements on held-out rows: right, wrong and grey pictures
    eval_rows: int = Field(32, gt=0)
    # After so many steps held-out rows have to be answered better with their own picture than with another row's. If
    # they are not, the run stops with an explanation, or with `warn` goes on after it (train/canary.py). Where every
    # picture comes with hints, or preferences are learnt, words may be enough: there it only warns.
    canary_steps: int = Field(100, gt=0)
    canary: Literal["stop", "warn"] = "stop"
    # The report at the end (report.html) asks so many held-out questions before and after, and every measurement the
    # first few of them; 0: none.
    report_questions: int = Field(64, ge=0)
    metric: Metric = "exact"  # what their answers are worth by: see train/metrics.py
    # Where the run is told of, beside the terminal and metrics.jsonl. TensorBoard: where it is installed.
    report_to: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ("tensorboard",)
    trainable: tuple[Literal["multi_modal_projector", "cross_attention", "vision_tower"], ...] = (
        "multi_modal_projector",
        "cross_attention",
    )  # trained whole
    kept: tuple[str, ...] = ()  # not trained, but saved whole with the rest: the adapter needs no other one below it
    lora: LoraSettings | None = None
    preference: PreferenceSettings | None = None  # with data of chosen and rejected answers: learn to tell them apart

    @model_validator(mode="after")
    def _preference_has_pairs(self) -> "TrainConfig":
        if self.preference and any(source.family is not None for source in self.data):
            raise ValueError("preference needs data with chosen and rejected answers; a `family` has none")
        return self

    @model_validator(mode="after")
    def _alignment_has_pictures(self) -> "TrainConfig":
        if self.alignment_steps and all(source.family is None for source in self.data):
            raise ValueError(
                "alignment_steps needs a data source with a `family`: only drawn pictures come with exact truth"
            )
        return self

    @model_validator(mode="after")
    def _looking_follows_alignment(self) -> "TrainConfig":
        if self.looking_steps and not self.alignment_steps:
            raise ValueError("looking_steps needs alignment_steps: what is looked for has to be in the image features")
        return self

    @model_validator(mode="after")
    def _dora_knows_the_weights(self) -> "TrainConfig":
        if self.quantization != "none" and self.lora is not None and self.lora.use_dora:
            raise ValueError("lora.use_dora needs the weights themselves: it does not go with quantization")
        return self

    @model_validator(mode="after")
    def _something_is_trained(self) -> "TrainConfig":
        if not self.trainable and self.lora is None:
            raise ValueError("nothing is trained: name parts in `trainable`, or give a `lora`")
        return self

    @model_validator(mode="after")
    def _batches_divide(self) -> "TrainConfig":
        if self.global_batch_size % self.micro_batch_size:
            raise ValueError(
                f"global_batch_size ({self.global_batch_size}) must be a multiple of"
                f" micro_batch_size ({self.micro_batch_size})"
            )
        return self
