"""vCPUs and memory: what a call used, and the memory that gives it as much."""

import pytest

from core.profiler import cpu


def fitted(memory_mb: float) -> float:
    """The line from memory to vCPUs that SAAF 0.7 carries, the right way round."""
    return 0.000556 * memory_mb + 0.012346


@pytest.mark.parametrize("memory_mib", [256, 512, 1024, 1769, 3008, 5307, 8846, 10240])
def test_the_memory_of_a_saturated_function_is_recommended_back(memory_mib: int) -> None:
    assert cpu.recommended_memory_mib(cpu.available_cpus(memory_mib)) == memory_mib


@pytest.mark.parametrize("memory_mib", [512, 1024, 1769, 3008, 5307, 8846])
def test_the_line_that_was_fitted_to_lambda_agrees_when_it_is_solved_for_memory(memory_mib: int) -> None:
    assert cpu.recommended_memory_mib(fitted(memory_mib)) == pytest.approx(memory_mib, rel=0.03)


@pytest.mark.parametrize(
    ("utilized_cpus", "memory_mib"),
    [(0.0, 128), (0.01, 128), (0.5, 885), (1.0, 1769), (1.001, 1771), (2.0, 3538), (5.9, 10240), (64.0, 10240)],
)
def test_the_least_memory_that_gives_as_many_vcpus_is_recommended(utilized_cpus: float, memory_mib: int) -> None:
    assert cpu.recommended_memory_mib(utilized_cpus) == memory_mib


def test_another_platform_has_another_memory_for_a_vcpu() -> None:
    assert cpu.recommended_memory_mib(0.5, 2048) == 1024


def test_no_memory_is_recommended_that_the_call_would_not_fit_into() -> None:
    assert cpu.recommended_memory_mib(0.1, peak_mib=900.2) == 901


@pytest.mark.parametrize(
    ("utilized_cpus", "throttled_ms", "lower_bound"),
    [(0.5, 0.0, False), (0.89, 0.0, False), (0.9, 0.0, True), (1.2, 0.0, True), (0.5, 3.0, True)],
)
def test_a_call_that_could_not_use_more_gives_a_lower_bound(
    utilized_cpus: float, throttled_ms: float, lower_bound: bool
) -> None:
    assert cpu.is_lower_bound(utilized_cpus, 1.0, throttled_ms) == lower_bound


@pytest.mark.parametrize(
    ("metrics", "duration_ms", "cpus"),
    [
        ({"vm_cpu_user_ms": 150.0, "vm_cpu_system_ms": 50.0}, 100.0, 2.0),
        ({"vm_cpu_user_ms": 150.0, "vm_cpu_system_ms": 50.0}, 0.0, None),
        ({"vm_cpu_user_ms": 150.0}, 100.0, None),
        ({}, 100.0, None),
    ],
)
def test_saafs_vcpus_are_the_machines(metrics: dict[str, float], duration_ms: float, cpus: float | None) -> None:
    assert cpu.vm_utilized_cpus(metrics, duration_ms) == cpus


def test_what_cannot_be_computed_is_none() -> None:
    assert cpu.accounts({}, None, None) == {"utilizedCPUs": None}
    assert cpu.accounts({}, None, 1769) == {"utilizedCPUs": None, "availableCPUs": 1.0}


@pytest.mark.parametrize(
    ("metrics", "memory_mib"),
    [
        ({"cpu_ms": 0.02, "peak_rss_mib": 20.0}, 128),  # too short to say how many vCPUs it used
        ({"cpu_ms": 1.2, "utilized_cpus": 1.08}, 1769),
        ({"cpu_ms": 120.0, "utilized_cpus": 1.08}, 1911),
        ({"peak_rss_mib": 20.0}, None),  # beside other calls: nobody knows
    ],
)
def test_a_short_call_is_not_told_to_buy_what_the_profiler_used(
    metrics: dict[str, float], memory_mib: int | None
) -> None:
    assert cpu.accounts(metrics, None, 512).get("recommendedMemory") == memory_mib
