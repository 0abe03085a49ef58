/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a program's standard error, and reports of sanitizers and run-times in it. */
#include <stdio.h>

#include "sut/process.h"

/* What the first line of a report holds. */
static const char *const alarms[] = {
    "ERROR: AddressSanitizer",
    "ERROR: LeakSanitizer",
    "WARNING: ThreadSanitizer",
    "WARNING: MemorySanitizer",
    ": runtime error: ", /* UBSan; Go writes "panic: runtime error:" */
    "WARNING: DATA RACE",
    "== Invalid read of size",
    "== Invalid write of size",
    "== Conditional jump or move depends on uninitialised",
    "== Process terminating with default action of signal",
    "Exception in thread ", /* Java, Python */
    "Task exception was never retrieved",
    "Exception in callback ",
    "fatal error: ",  /* Go */
    "' panicked at ", /* Rust */
    "UnhandledPromiseRejection",
};

static bool is_alarm(const char *line) {
  for (size_t i = 0; i < sizeof alarms / sizeof *alarms; i++)
    if (strstr(line, alarms[i])) return true;
  return strncmp(line, "panic: ", 7) == 0;
}

static void end_line(struct sut_tail *t) {
  t->line[t->line_length] = '\0';
  if (!t->alarm[0] && is_alarm(t->line)) memcpy(t->alarm, t->line, t->line_length + 1);
  t->line_length = 0;
}

static void keep(struct sut_tail *t, const char *data, size_t length) {
  if (length > SUT_TAIL) {
    data += length - SUT_TAIL;
    length = SUT_TAIL;
  }
  size_t over = t->length + length > SUT_TAIL ? t->length + length - SUT_TAIL : 0;
  memmove(t->text, t->text + over, t->length - over);
  t->length -= over;
  memcpy(t->text + t->length, data, length);
  t->length += length;
  t->text[t->length] = '\0';
}

void sut_tail_add(struct sut_tail *t, const char *data, size_t length) {
  keep(t, data, length);
  for (size_t i = 0; i < length; i++) {
    if (data[i] == '\n')
      end_line(t);
    else if (t->line_length < sizeof t->line - 1)
      t->line[t->line_length++] = data[i] ? data[i] : ' ';
  }
}

void sut_tail_line(struct sut_tail *t, const char *line, size_t length) {
  sut_tail_add(t, line, length);
  sut_tail_add(t, "\n", 1);
}
