"""The built-in services: transform, load, query."""

from core.service import Services, registry
from core.services import load, query, transform

BUILT_IN: Services = registry([transform.SERVICE, load.SERVICE, query.SERVICE])
