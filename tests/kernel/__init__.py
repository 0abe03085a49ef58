# SPDX-License-Identifier: BSD-2-Clause
"""The kernel backend: scenarios, programs, and what is left behind."""
