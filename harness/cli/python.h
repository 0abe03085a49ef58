/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHORUS_CLI_PYTHON_H
#define CHORUS_CLI_PYTHON_H

#include "cli/cli.h"

/* Writes the HTML report; false when there is no Python with the packages, or it failed. */
bool cli_write_report(const char *results, const char *folder);

#endif
