/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the capture room: a file that appears under its name when it is complete. It is written
 * under a temporary name in the same directory; devices and pipes are written to directly.
 */
#ifndef CHORUS_CAPTURE_OUTPUT_H
#define CHORUS_CAPTURE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
  FILE *stream;
  const char *path; /* the caller's */
  char *temporary;  /* NULL: written to directly */
};

/* 0, or an errno value. |path| has to outlive |output|. */
int output_open(struct output *output, const char *path);
/* Closes; then gives the file its name (|keep|) or removes it. 0, or an errno value. */
int output_close(struct output *output, bool keep);

#endif
