"""One loop that fits a torch module: schedule, mixed precision, an averaged copy of the weights.

Knows nothing of data, tasks or files: batches come from a callable and the loss from another.
"""

import copy
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch

log = logging.getLogger(__name__)
Batch = dict[str, torch.Tensor]
_STRIDE = 8
"""The averaged copy follows every so many steps, as far as it would have gone in that many: it costs a pass each."""


@dataclass(frozen=True)
class FitOptions:
    """How long and how boldly to train."""

    epochs: int = 3
    """Passes over the data."""
    rate: float = 1e-4
    """Peak learning rate: linear warm-up, then linear decay to zero."""
    warmup: float = 0.1
    """Share of the steps spent warming up, 0..1."""
    decay: float = 0.01
    """Weight decay (decoupled), on matrices only."""
    layer_decay: float = 1.0
    """The learning rate of a group of depth d below the top is multiplied by this to the power d."""
    average: float = 0.0
    """Decay per step of an exponential moving average of the weights; 0 keeps the last weights."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    half: bool = False
    """Compute in bfloat16 where torch deems it safe."""


def fit(
    module: torch.nn.Module,
    batches: Callable[[int], Iterable[Batch]],
    steps_per_epoch: int,
    loss: Callable[[torch.nn.Module, Batch], torch.Tensor],
    options: FitOptions,
    depth: Callable[[str], int] = lambda name: 0,
    after_epoch: Callable[[int, torch.nn.Module], None] | None = None,
) -> torch.nn.Module:
    """Fit `module` in place and return it, or its averaged copy if `options.average` is set.

    Args:
        module: what to train.
        batches: gives the batches of an epoch, by its number from 0.
        steps_per_epoch: how many batches an epoch has, for the schedule.
        loss: the scalar to lower, of a module and a batch.
        options: see `FitOptions`.
        depth: how many layers a parameter lies below the top, by its name.
        after_epoch: called with the epoch's number and the module that would be returned.
    """
    optimizer = torch.optim.AdamW(_groups(module, options, depth), lr=options.rate, fused=True)
    total = max(1, options.epochs * steps_per_epoch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _trapezoid(total, options.warmup))
    averaged = copy.deepcopy(module).eval() if options.average else None
    device = next(module.parameters()).device.type
    step, running, begun = 0, 0.0, time.monotonic()
    for epoch in range(options.epochs):
        module.train()
        for batch in batches(epoch):
            step += 1
            with torch.autocast(device, dtype=torch.bfloat16, enabled=options.half):
                value = loss(module, batch)
            torch.autograd.backward(value)
            torch.nn.utils.clip_grad_norm_(module.parameters(), options.clip)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if averaged is not None and step % _STRIDE == 0:
                _follow(averaged, module, min(options.average, (step + 1) / (step + 10)) ** _STRIDE)
            running = value.item() if step == 1 else 0.98 * running + 0.02 * value.item()
            if step % 200 == 0:
                rate = (time.monotonic() - begun) / step
                log.info("step %d of %d, loss %.4f, %.0f s left", step, total, running, rate * (total - step))
        if after_epoch:
            after_epoch(epoch, averaged or module.eval())
    return averaged if averaged is not None else module.eval()


def _trapezoid(total: int, warmup: float) -> Callable[[int], float]:
    rise = max(1, math.ceil(total * warmup))
    return lambda step: min((step + 1) / rise, max(0.0, (total - step) / max(1, total - rise)))


def _groups(module: torch.nn.Module, options: FitOptions, depth: Callable[[str], int]) -> Iterator[dict[str, object]]:
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            decay = options.decay if parameter.ndim > 1 else 0.0
            yield {
                "params": [parameter],
                "lr": options.rate * options.layer_decay ** depth(name),
                "weight_decay": decay,
            }


@torch.no_grad()
def _follow(averaged: torch.nn.Module, module: torch.nn.Module, decay: float) -> None:
    for slow, fast in zip(averaged.parameters(), module.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
    for kept, new in zip(averaged.buffers(), module.buffers(), strict=True):
        kept.lerp_(new, 1 - decay) if kept.is_floating_point() else kept.copy_(new)
