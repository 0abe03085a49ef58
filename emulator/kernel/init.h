/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of a program's PID namespace. It starts the program, forwards signals, reaps,
 * and says what became of it. It ends, and all processes there with it, when its parent does.
 */
#ifndef KRN_INIT_H
#define KRN_INIT_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct krn_init {
  const char *const *arguments;
  char *const *environment; /* all of it */
  const char *directory;    /* or NULL */
  int input, output, error; /* the program's standard streams */
  int control;              /* packets: signal numbers (int) in, struct krn_init_news out */
  struct rlimit files;
  bool own_memory; /* a /dev/shm of its own */
};

enum krn_init_event { KRN_INIT_STARTED, KRN_INIT_FAILED, KRN_INIT_ENDED };

struct krn_init_news {
  int event;         /* enum krn_init_event */
  int status;        /* FAILED: an errno; ENDED: as of waitpid() */
  unsigned leftover; /* ENDED: processes that are still there a little later */
};

/* Makes the process, in the calling thread's other namespaces. Its id or -1; |*handle|: a pidfd. */
pid_t krn_init_start(const struct krn_init *init, int *handle);

#endif
