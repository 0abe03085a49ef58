/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of this runs in a copy of a process that may have had other threads: no memory is asked for,
 * and processes are made without the C library's handlers.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL   3 /* descriptor numbers in the first process; 0 to 2 are the program's */
#define FREE_FROM 4
#define GRACE_MS  200 /* for processes that are about to end together with the program */

struct state {
  pid_t program;
  int children; /* signalfd that tells of them */
  bool ended, reported;
  int status;
};

static pid_t copy_process(unsigned long flags, int *handle) {
  return (pid_t)syscall(SYS_clone, flags, 0UL, handle, 0UL, 0UL);
}

/* Descriptors. */

/* Puts the four descriptors at 0 to 3 and closes all others. */
static void arrange_descriptors(const struct krn_init *init) {
  int given[] = {init->input, init->output, init->error, init->control};
  for (int i = 0; i < 4; i++) given[i] = fcntl(given[i], F_DUPFD, 16);
  for (int i = 0; i < 4; i++) dup2(given[i], i);
  syscall(SYS_close_range, (unsigned)FREE_FROM, ~0u, 0u);
  fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
}

static void say(int event, int status, unsigned leftover) {
  struct krn_init_news news = {.event = event, .status = status, .leftover = leftover};
  if (send(CONTROL, &news, sizeof news, MSG_NOSIGNAL) < 0) _exit(1); /* nobody is left to tell */
}

/* The program. */

static void reset_signals(void) {
  for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What is mounted stays in the program's mount namespace, and goes with it. */
static bool separate_memory(const struct krn_init *init) {
  if (!init->own_memory) return true;
  return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
         mount("chorus", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL) == 0;
}

static void become_program(const struct krn_init *init, int failure) {
  setsid();
  reset_signals();
  prctl(PR_SET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
  setrlimit(RLIMIT_NOFILE, &init->files);
  if (separate_memory(init) && (!init->directory || chdir(init->directory) == 0))
    execvpe(init->arguments[0], (char *const *)(uintptr_t)init->arguments, init->environment);
  int error = errno;
  if (write(failure, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

/* Starts the program and waits until it is one. False: it could not be, and that has been said. */
static bool start_program(const struct krn_init *init, struct state *state) {
  int failure[2], error = 0;
  if (pipe2(failure, O_CLOEXEC) < 0) return false;
  state->program = copy_process(SIGCHLD, NULL);
  if (state->program == 0) become_program(init, failure[1]);
  if (state->program < 0) error = errno;
  close(failure[1]);
  for (int i = 0; i < 3; i++) close(i);
  ssize_t length = error ? 0 : read(failure[0], &error, sizeof error);
  while (length < 0 && errno == EINTR) length = read(failure[0], &error, sizeof error);
  close(failure[0]);
  if (error) say(KRN_INIT_FAILED, error, 0);
  return error == 0;
}

/* What comes after it. */

/* The highest process number that is in use: that of a new process. */
static pid_t highest_number(void) {
  pid_t probe = copy_process(SIGCHLD, NULL);
  if (probe == 0) _exit(0);
  if (probe > 0) waitpid(probe, NULL, 0);
  return probe;
}

static unsigned count_processes(void) {
  unsigned count = 0;
  for (pid_t i = 2, end = highest_number(); i < end; i++) {
    int handle = (int)syscall(SYS_pidfd_open, i, 0u); /* fails for mere threads */
    if (handle < 0) continue;
    count++;
    close(handle);
  }
  return count;
}

/* Whether processes are left. */
static bool reap(struct state *state) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != state->program) continue;
    state->ended = true;
    state->status = status;
  }
  return pid == 0;
}

static void forward(const struct state *state) {
  int number;
  ssize_t length = recv(CONTROL, &number, sizeof number, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length != sizeof number) _exit(0); /* the parent has ended */
  kill(state->ended ? -1 : state->program, number);
}

static void clear_children(const struct state *state) {
  struct signalfd_siginfo info;
  while (read(state->children, &info, sizeof info) > 0) continue;
}

static void serve(struct state *state) {
  for (;;) {
    bool more = reap(state);
    if (state->ended && !more && !state->reported) say(KRN_INIT_ENDED, state->status, 0);
    if (state->ended && !more) return;
    struct pollfd files[] = {{.fd = CONTROL, .events = POLLIN},
                             {.fd = state->children, .events = POLLIN}};
    bool grace = state->ended && !state->reported;
    int count = poll(files, 2, grace ? GRACE_MS : -1);
    if (count == 0 && grace) {
      say(KRN_INIT_ENDED, state->status, count_processes());
      state->reported = true;
    }
    if (files[0].revents) forward(state);
    clear_children(state);
  }
}

static void run(const struct krn_init *init) {
  struct state state = {0};
  sigset_t all;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  arrange_descriptors(init);
  setsid();
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  state.children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (start_program(init, &state)) {
    say(KRN_INIT_STARTED, 0, 0);
    serve(&state);
  }
  _exit(0);
}

pid_t krn_init_start(const struct krn_init *init, int *handle) {
  pid_t pid = copy_process(CLONE_NEWPID | CLONE_PIDFD, handle); /* no signal to the parent */
  if (pid == 0) run(init);
  return pid;
}
