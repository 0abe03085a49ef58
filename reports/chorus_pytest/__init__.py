# SPDX-License-Identifier: BSD-2-Clause
"""pytest plugin of Chorus: scenario files as test items, and a `chorus` fixture."""

from chorus_pytest.result import ChorusError, ChorusFailure, ChorusResult
from chorus_pytest.tool import Chorus

__all__ = ["Chorus", "ChorusError", "ChorusFailure", "ChorusResult"]
