/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHORUS_CLI_INTEROP_H
#define CHORUS_CLI_INTEROP_H

/* chorus interop setup [STACK...] */
int cli_interop_setup(int count, char **arguments);

#endif
