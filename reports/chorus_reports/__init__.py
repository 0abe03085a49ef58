# SPDX-License-Identifier: BSD-2-Clause
"""What people read of a run: HTML, JUnit, Markdown and differences, all from results.json alone."""

__version__ = "0.1.0"
