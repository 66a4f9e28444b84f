"""The built-in services, by name."""

from core.service import Services, registry
from core.services import load, probe, query, shard, transform

BUILT_IN: Services = registry([transform.SERVICE, load.SERVICE, query.SERVICE, shard.SERVICE, probe.SERVICE])
