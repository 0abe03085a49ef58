# SPDX-License-Identifier: BSD-2-Clause
"""The adapters of third-party stacks, each in namespaces of its own."""
