"""On what a run runs: one process, or several that `accelerate launch -m train.sft CONFIG` has started."""

import logging
import os
from importlib.util import find_spec

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, DistributedType, broadcast_object_list
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from vlm.run_config import ConfigError

from .config import TrainConfig
from .precision import faster_precision

logger = logging.getLogger(__name__)


def start_devices(config: TrainConfig) -> Accelerator:
    """The processes of a run, which this one is the whole or a part of. Raises ConfigError for what does not divide."""
    trackers = [name for name in config.report_to if _is_there(name)]
    accelerator = Accelerator(
        cpu=not torch.cuda.is_available(),
        log_with=trackers or None,
        project_dir=config.output_dir,
        # A row without pictures uses no cross-attention; nothing that is trained has buffers that change.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)],
    )
    count = accelerator.num_processes
    if config.global_batch_size % (count * config.micro_batch_size):
        raise ConfigError(
            f"global_batch_size ({config.global_batch_size}) must be a multiple of {count} processes x micro_batch_size"
            f" ({config.micro_batch_size})"
        )
    if count > 1 and (config.alignment_steps or config.looking_rows):
        raise ConfigError("alignment_steps and looking_rows are for one process: do that part of the training alone")
    if count > 1 and accelerator.is_main_process:
        logger.info("on %d processes (%s)", count, accelerator.distributed_type.value)
    has_parts = accelerator.distributed_type == DistributedType.FSDP
    if os.environ.get("ACCELERATE_USE_FSDP") == "true" and not has_parts and accelerator.is_main_process:
        logger.warning("FSDP was asked for, which needs GPUs: here every process holds the whole model")
    if config.preference is not None and has_parts:
        raise ConfigError(
            "preference needs the model with its adapters off as well, which FSDP cannot give: take one process, or"
            " several with the whole model each (without --use_fsdp)"
        )
    return accelerator


def _is_there(name: str) -> bool:
    if find_spec(name) is not None:
        return True
    if name != "tensorboard":
        raise ConfigError(f"report_to names {name}, which is not installed: run pip install {name}")
    logger.info("curves for TensorBoard are not written: pip install 'regard[tensorboard]' brings it")
    return False


def resolve_precision(config: TrainConfig, accelerator: Accelerator) -> TrainConfig:
    """The config with `auto` replaced by what is faster, measured by one process for all."""
    if config.precision != "auto":
        return config
    found = [faster_precision(accelerator.device) if accelerator.is_main_process else None]
    return config.model_copy(update={"precision": broadcast_object_list(found)[0]})


def whole(tensor: Tensor) -> Tensor:
    """A tensor that may lie in parts on several devices (FSDP), put together; every process must call this."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(tensor: Tensor, other: Tensor) -> Tensor:
    """`tensor` on the devices of `other`, in parts where that one is; a number without dimensions stays as it is."""
    if not tensor.ndim:
        return tensor
    if isinstance(other, DTensor):
        return distribute_tensor(tensor.to(other.device), other.device_mesh, other.placements)
    return tensor.to(other.device)
