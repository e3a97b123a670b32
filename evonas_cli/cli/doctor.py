"""`evonas doctor`: what the machine offers, and what a search would make of it."""

from __future__ import annotations

import os
import platform
import shutil
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, Overrides, print_json, readable, say
from evonas_cli.core.types import Json

if TYPE_CHECKING:
    import torch

    from evonas_cli.run.assembly import Parts

PACKAGES = ("evonas", "torch", "torchvision", "numpy", "hydra-core")
SYNCS = 5
GIB = 1 << 30


def doctor(
    overrides: Overrides = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    json: AsJson = False,
) -> int:
    """Show what this machine offers and which settings of speed a search with these overrides would use.

    Settings that are `auto` or null are shown as what they stand for here, those that the device does not offer are
    refused; `evonas tune` measures which are fastest.
    """
    from evonas_cli.config.compose import compose
    from evonas_cli.run.assembly import assemble

    folders, allowed = config_dir or [], allow_module or []
    parts = assemble(compose(overrides or [], folders).config, allowed, folders)
    found = {"schema": 1, **_machine(), "search": _settings(parts)}
    if json:
        print_json(found)
        return 0
    for heading, value in found.items():
        for key, text in value.items() if isinstance(value, dict) else ():
            say(f"{heading if key == next(iter(value)) else '':<10}{key:<22}{_shown(text)}")
    return 0


def _machine() -> dict[str, Any]:
    """Versions, processor, GPUs and disk, as measured now."""
    import torch

    from evonas_cli.evaluation.division import available_cores
    from evonas_cli.training.device.allocator import keep_memory
    from evonas_cli.training.device.setup import device_name, has_bf16

    cpu = torch.device("cpu")
    gpus = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB if hasattr(os, "sysconf") else None
    return {
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}},
        "processor": {
            "name": device_name(cpu),
            "cores": available_cores(),
            "memory_gib": None if memory is None else round(memory, 1),
            "bf16": has_bf16(cpu),
            "keeps_freed_memory": keep_memory(),
        },
        "gpus": {f"cuda:{gpu.index}": _gpu(gpu) for gpu in gpus} or {"none": f"CUDA build: {torch.version.cuda}"},
        "disk": {"free_gib": round(shutil.disk_usage(".").free / GIB, 1), "sync_ms": _sync_ms()},
    }


def _gpu(device: torch.device) -> dict[str, Json]:
    import torch

    from evonas_cli.training.device.setup import device_name, has_bf16

    free, total = torch.cuda.mem_get_info(device)
    sizes: dict[str, Json] = {"free_gib": round(free / GIB, 1), "memory_gib": round(total / GIB, 1)}
    return {"name": device_name(device), **sizes, "bf16": has_bf16(device)}


def _sync_ms() -> float | None:
    """Median milliseconds until a line in the current folder is on the disk, or None where nothing can be written."""
    path, times = Path(f".evonas-doctor-{os.getpid()}"), []
    try:
        with path.open("wb", buffering=0) as file:
            for _ in range(SYNCS):
                started = time.perf_counter()
                file.write(b"x")
                os.fsync(file.fileno())
                times.append(time.perf_counter() - started)
    except OSError:
        return None
    finally:
        path.unlink(missing_ok=True)
    return round(1000 * sorted(times)[SYNCS // 2], 3)


def _settings(parts: Parts) -> dict[str, Json]:
    """Settings of speed, resolved: device, workers, threads, and those of the engine where the job trains with it."""
    from evonas_cli.config.build import build
    from evonas_cli.evaluation.pool import Pool
    from evonas_cli.run.speed import engine_settings
    from evonas_cli.store.directory import RunDirectory
    from evonas_cli.training.device.setup import precision_of, resolve
    from evonas_cli.training.steps import check_device

    config = parts.config
    device = resolve(config["device"], config["deterministic"], config["evaluator"].get("threads", 1))
    evaluator = parts.evaluator(RunDirectory(Path()))
    if isinstance(evaluator, Pool):
        evaluator.division.check()
    found: dict[str, Json] = {
        "device": device.type,
        "evaluator": config["evaluator"]["_target_"].rpartition(".")[2].lower(),
        "workers": evaluator.slots,
        "evaluator.threads": config["evaluator"].get("threads", 1),
        "deterministic": config["deterministic"],
    }
    if "in_flight" in config["job"]:
        check_device(build(config["trainer"], "trainer"), device)
    images = precision_of("auto", device, large=True)
    both = images if images == precision_of("auto", device, large=False) else "bf16 for images, fp32 for others"
    return found | engine_settings(config, device.type, both)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
    return "unknown" if value is None else readable(value)
