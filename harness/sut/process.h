/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child process on pipes, read line by line; private to harness/sut. It dies with us, has a
 * process group of its own, and nobody asks a clock: waiting is for silence of a given length.
 */
#ifndef CHORUS_SUT_PROCESS_H
#define CHORUS_SUT_PROCESS_H

#include <sys/types.h>

#include "chorus/types.h"
#include "scenario/arena.h"
#include "text/text.h"

#define SUT_LINE_MAX ((size_t)256 * 1024) /* docs/plugins.md */
#define SUT_TAIL     4096u                /* octets of standard error that are kept */

/* The end of what a program wrote to standard error, and the first alarm in it. */
struct sut_tail {
  char text[SUT_TAIL + 1];
  size_t length;
  char line[400]; /* the line that is being written */
  size_t line_length;
  char alarm[400]; /* the first line of a sanitizer's or run-time's report; "": none */
};
void sut_tail_add(struct sut_tail *tail, const char *data, size_t length);
/* A whole line, without its end. */
void sut_tail_line(struct sut_tail *tail, const char *line, size_t length);

struct sut_process {
  pid_t pid; /* 0: none, or already waited for */
  pid_t group;
  int in, out, err;         /* -1: closed */
  struct txt_buffer output; /* read and not yet consumed */
  size_t consumed;
  struct sut_tail *tail;
  char mark[48]; /* in its environment, so that its descendants can be found */
  int status;    /* of waitpid(), once |pid| is 0 */
};

/* argv and environment are complete, both end with NULL; |directory|: NULL is ours. */
bool sut_process_start(struct sut_process *p, const char *const *argv,
                       const char *const *environment, const char *directory, char *why,
                       size_t size);
/* Our environment, |count| additions "NAME=value", and |mark|; NULL at the end. */
const char *const *sut_process_environment(struct scn_arena *arena, const char *const *additions,
                                           size_t count, const char *mark);

enum sut_line { SUT_LINE, SUT_SILENT, SUT_CLOSED, SUT_LONG_LINE };
/* The next line of standard output, without its end; valid until the next call. |silence| is real
 * ns. */
enum sut_line sut_process_line(struct sut_process *p, chorus_time silence, const char **line,
                               size_t *length);
/* Whether something waits to be read. */
bool sut_process_waiting(struct sut_process *p);
/* False when it does not read for |silence|, or is gone. */
bool sut_process_write(struct sut_process *p, const char *data, size_t length, chorus_time silence);
void sut_process_close_input(struct sut_process *p);
/* Waits for its end, at most |within| (real ns); true: |status| is set. */
bool sut_process_wait(struct sut_process *p, chorus_time within);
void sut_process_signal(struct sut_process *p, int signal);
/* Descendants that are left after its end; looks through all processes when |thorough|. */
unsigned sut_process_leftover(struct sut_process *p, bool thorough);
/* Kills what is left and closes everything. */
void sut_process_end(struct sut_process *p);

/* "ended with status 3", "was ended by signal 11 (Segmentation fault)". */
const char *sut_status_text(int status, char *text, size_t size);

#endif
