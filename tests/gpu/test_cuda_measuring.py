"""On a CUDA device: memory, latency and, where NVML counts it, energy of a network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def test_the_peak_is_what_the_allocator_held_beyond_what_was_there() -> None:
    from evonas_cli.training.measuring.memory import peak_bytes

    device = torch.device("cuda", 0)
    before = torch.zeros(10_000_000, device=device)

    def together() -> None:
        held = [torch.zeros(1_000_000, device=device) for _ in range(3)]
        del held

    assert peak_bytes(device, together) == pytest.approx(12_000_000, rel=0.01)
    assert before.numel() == 10_000_000


def test_a_larger_network_takes_longer_and_more_energy() -> None:
    from evonas_cli.core.errors import UsageError
    from evonas_cli.training.measuring.bench import _uuid
    from evonas_cli.training.measuring.latency import energy, latency
    from evonas_cli.training.measuring.meters import meter
    from evonas_cli.training.measuring.plan import Timing

    device = torch.device("cuda", 0)
    x = torch.zeros(4096, 4096, device=device)
    small, large = (torch.nn.Sequential(*[torch.nn.Linear(4096, 4096) for _ in range(n)]).to(device) for n in (1, 20))
    assert 0 < latency(small, x, Timing())[0] < latency(large, x, Timing())[0]
    try:
        counter = meter("cuda", _uuid(device))
    except UsageError as error:
        pytest.skip(str(error))
    assert 0 < energy(small, x, Timing(), counter) < energy(large, x, Timing(), counter)
