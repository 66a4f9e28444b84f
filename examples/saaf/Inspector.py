"""SAAF's module of this name: put it beside a function whose first line is `from Inspector import *`.

That line gave a function SAAF's own imports too, and some use them without importing them themselves.
"""

import json
import logging
import os
import re
import shlex
import subprocess
import time
import uuid

from core.profiler.saaf import Inspector

__all__ = ["Inspector", "json", "logging", "os", "re", "shlex", "subprocess", "time", "uuid"]
