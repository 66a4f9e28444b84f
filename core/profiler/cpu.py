"""CPU time as a function buys it: the vCPUs that a call used, and the memory that gives it as many.

Lambda gives CPU in proportion to memory: "At 1,769 MB, a function has the equivalent of one vCPU"
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html, read 2026-11; its MB are MiB).

That what a call uses of the CPU says what memory it needs is the idea of CPU-TAMS (Cordingly, Xu, Lloyd: Function
Memory Optimization for Heterogeneous Serverless Platforms with CPU Time Accounting, IC2E 2022,
doi:10.1109/IC2E55432.2022.00019). The line that its authors fitted and SAAF 0.7 carries, cpus = 0.000556 * MB +
0.012346, goes from memory to vCPUs: 1769 MB give 0.996. To go from vCPUs to memory it has to be solved for MB.
SAAF puts vCPUs in where MB belong, gets about a hundredth and always answers the least memory there is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LAMBDA = "AWS Lambda"
LAMBDA_MIB_PER_CPU = 1769
LAMBDA_LEAST_MIB, LAMBDA_MOST_MIB = 128, 10240

# In a call of less CPU time than this the profiler's own work shows: one busy thread is a little more than one vCPU.
SHORT_MS = 10.0
# A call that used this part of what it had may have wanted more.
SATURATED = 0.9
LOWER_BOUND = "recommended_memory_is_lower_bound"


def accounts(metrics: Mapping[str, float], vm_cpus: float | None, memory_mib: float | None) -> dict[str, object]:
    """The vCPUs of a call under SAAF's keys; what cannot be computed is None.

    `utilizedCPUs` is SAAF's and of the whole VM, `recommendedMemory` is ours and of the call itself.

    Args:
        metrics: A call's, by name.
        vm_cpus: See `vm_utilized_cpus`.
        memory_mib: Memory of the function, None where its CPU does not go by its memory.
    """
    found: dict[str, object] = {"utilizedCPUs": None if vm_cpus is None else round(vm_cpus, 3)}
    if memory_mib is None:
        return found
    available = available_cpus(memory_mib)
    found["availableCPUs"] = round(available, 3)
    # Of a call that is too short to tell, no CPU asks for more memory; one beside others may be anything.
    used = metrics.get("utilized_cpus", 0.0 if "cpu_ms" in metrics else None)
    if used is not None:
        if metrics.get("cpu_ms", SHORT_MS) < SHORT_MS:
            used = min(used, max(float(int(used)), 1.0))
        found["recommendedMemory"] = recommended_memory_mib(used, peak_mib=metrics.get("peak_rss_mib", 0.0))
        found[LOWER_BOUND] = int(is_lower_bound(used, available, metrics.get("cgroup_throttled_ms", 0.0)))
    return found


def available_cpus(memory_mib: float, mib_per_cpu: float = LAMBDA_MIB_PER_CPU) -> float:
    """The vCPUs that a function of this memory has, where the platform gives CPU in proportion to memory."""
    return memory_mib / mib_per_cpu


def vm_utilized_cpus(metrics: Mapping[str, float], duration_ms: float) -> float | None:
    """SAAF's utilised vCPUs: what the whole VM used, neighbours included, over the time of the call.

    What the call itself used is the metric `utilized_cpus`. None where the VM's metrics are missing or no time
    has passed; under 100 ms the clock ticks in which the VM counts make it a guess.

    Args:
        metrics: A call's, by name.
        duration_ms: How long the call took.
    """
    user_ms, system_ms = metrics.get("vm_cpu_user_ms"), metrics.get("vm_cpu_system_ms")
    if user_ms is None or system_ms is None or duration_ms <= 0:
        return None
    return (user_ms + system_ms) / duration_ms


def recommended_memory_mib(utilized_cpus: float, mib_per_cpu: float = LAMBDA_MIB_PER_CPU, peak_mib: float = 0.0) -> int:
    """The least memory that gives as many vCPUs as the call used, and room for what it held.

    It is a lower bound where the call was kept from using more: see `is_lower_bound`.

    Args:
        utilized_cpus: What the call itself used.
        mib_per_cpu: Memory for one vCPU.
        peak_mib: Resident memory of its process at the most.
    """
    wanted_mib = max(round(utilized_cpus * mib_per_cpu, 6), peak_mib)
    least_mib = int(-(-wanted_mib // 1))
    return min(max(least_mib, LAMBDA_LEAST_MIB), LAMBDA_MOST_MIB)


def is_lower_bound(utilized_cpus: float, available_cpus: float, throttled_ms: float = 0.0) -> bool:
    """Whether a call might have used more than it did: it used nearly all that it had, or was throttled.

    A call cannot use more than its quota, so what it used then says only that it wants no less.

    Args:
        utilized_cpus: What the call itself used.
        available_cpus: What its memory, or its cgroup's quota, allows.
        throttled_ms: Time in which its cgroup had used up its quota.
    """
    return throttled_ms > 0 or utilized_cpus >= SATURATED * available_cpus
