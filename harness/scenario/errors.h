/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a file that a person wrote: a list of messages, each with its place.
 *
 *   scenarios/x.yaml:3:1: unknown key "nodez"; did you mean "nodes"?
 *     3 | nodez: []
 *       | ^~~~~
 */
#ifndef CHORUS_SCENARIO_ERRORS_H
#define CHORUS_SCENARIO_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct scn_error {
  char *path;
  uint32_t line, column; /* from 1 on; 0: the file as a whole */
  uint32_t width;        /* characters that are meant, at least 1 */
  char *message;
  char *source; /* the line, or NULL */
};

#define SCN_MAX_ERRORS 20

struct scn_errors {
  struct scn_error list[SCN_MAX_ERRORS];
  size_t count; /* kept */
  size_t total; /* found */
};

void scn_errors_init(struct scn_errors *errors);
void scn_errors_free(struct scn_errors *errors);

/* Adds a message. |text| is the whole file, from which the line is shown, or NULL. */
void scn_errors_add(struct scn_errors *errors, const char *path, const char *text, uint32_t line,
                    uint32_t column, uint32_t width, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

/* Writes one error in the form shown above. */
void scn_error_print(const struct scn_error *error, FILE *stream);
/* Writes all that were kept, and how many more there are. */
void scn_errors_print(const struct scn_errors *errors, FILE *stream);

#endif
