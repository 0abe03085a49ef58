/* SPDX-License-Identifier: BSD-2-Clause */
#include "sut/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MILLISECOND CHORUS_MILLISECOND

extern char **environ;

/* ---- starting ---- */

const char *const *sut_process_environment(struct scn_arena *arena, const char *const *additions,
                                           size_t count, const char *mark) {
  size_t own = 0, n = 0;
  while (environ[own]) own++;
  const char **list = scn_alloc(arena, (own + count + 2) * sizeof *list);
  if (!list) return NULL;
  for (size_t i = 0; i < own; i++) {
    size_t name = strcspn(environ[i], "=") + 1;
    bool replaced = false;
    for (size_t k = 0; k < count; k++)
      replaced = replaced || strncmp(additions[k], environ[i], name) == 0;
    if (!replaced) list[n++] = environ[i];
  }
  for (size_t i = 0; i < count; i++) list[n++] = additions[i];
  if (mark && *mark) list[n++] = mark;
  return list;
}

/* In the child: only what may be called between fork() and exec(). */
static void become(const int fds[3], const char *const *argv, const char *const *environment,
                   const char *directory, int report) {
  sigset_t none;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  for (int i = 0; i < 3; i++) dup2(fds[i], i);
  if (!directory || chdir(directory) == 0)
    execvpe(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
  int number = errno;
  if (write(report, &number, sizeof number) < 0) _exit(126);
  _exit(127);
}

static void close_one(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static bool make_pipes(int pipes[4][2]) {
  for (int i = 0; i < 4; i++) pipes[i][0] = pipes[i][1] = -1;
  for (int i = 0; i < 4; i++)
    if (pipe2(pipes[i], O_CLOEXEC) != 0) return false;
  return true;
}

/* The child says why it could not become the program; silence means that it did. */
static bool started(int report, int *number) {
  ssize_t n;
  do n = read(report, number, sizeof *number);
  while (n < 0 && errno == EINTR);
  return n != (ssize_t)sizeof *number;
}

static void keep_ends(struct sut_process *p, int pipes[4][2]) {
  p->in = pipes[0][1];
  p->out = pipes[1][0];
  p->err = pipes[2][0];
  pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
  fcntl(p->in, F_SETFL, O_NONBLOCK);
  fcntl(p->out, F_SETFL, O_NONBLOCK);
  fcntl(p->err, F_SETFL, O_NONBLOCK);
}

static bool spawn(struct sut_process *p, int pipes[4][2], const char *const *argv,
                  const char *const *environment, const char *directory, char *why, size_t size) {
  int fds[3] = {pipes[0][0], pipes[1][1], pipes[2][1]}, number = 0;
  p->pid = p->group = fork();
  if (p->pid == 0) become(fds, argv, environment, directory, pipes[3][1]);
  if (p->pid < 0) {
    p->pid = p->group = 0;
    snprintf(why, size, "no process: %s", strerror(errno));
    return false;
  }
  setpgid(p->pid, p->pid);
  close_one(&pipes[3][1]);
  if (started(pipes[3][0], &number)) {
    keep_ends(p, pipes);
    return true;
  }
  snprintf(why, size, "%s cannot be started: %s", argv[0], strerror(number));
  waitpid(p->pid, &p->status, 0);
  p->pid = p->group = 0;
  return false;
}

bool sut_process_start(struct sut_process *p, const char *const *argv,
                       const char *const *environment, const char *directory, char *why,
                       size_t size) {
  int pipes[4][2];
  p->in = p->out = p->err = -1;
  bool ok = make_pipes(pipes);
  if (!ok) snprintf(why, size, "no pipe: %s", strerror(errno));
  ok = ok && spawn(p, pipes, argv, environment, directory, why, size);
  for (int i = 0; i < 4; i++) {
    close_one(&pipes[i][0]);
    close_one(&pipes[i][1]);
  }
  return ok;
}

/* ---- talking ---- */

static int milliseconds(chorus_time ns) {
  chorus_time ms = (ns + MILLISECOND - 1) / MILLISECOND;
  return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* Takes what is there; false at the end of file. */
static bool take(int *fd, struct txt_buffer *output, struct sut_tail *tail) {
  char buffer[16384];
  ssize_t n = read(*fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n <= 0) {
    close_one(fd);
    return false;
  }
  if (output) txt_add(output, buffer, (size_t)n);
  if (tail) sut_tail_add(tail, buffer, (size_t)n);
  return true;
}

/* Waits for anything to read or, with |writing|, room to write; false: silence. */
static bool wait_for(struct sut_process *p, bool writing, chorus_time silence) {
  struct pollfd fds[3] = {{.fd = p->out, .events = POLLIN},
                          {.fd = p->err, .events = POLLIN},
                          {.fd = writing ? p->in : -1, .events = POLLOUT}};
  int n;
  do n = poll(fds, 3, milliseconds(silence));
  while (n < 0 && errno == EINTR);
  if (fds[1].revents) take(&p->err, NULL, p->tail);
  if (fds[0].revents) take(&p->out, &p->output, NULL);
  return n > 0;
}

static void drop_consumed(struct sut_process *p) {
  if (p->consumed == 0) return;
  p->output.length -= p->consumed;
  memmove(p->output.data, p->output.data + p->consumed, p->output.length + 1);
  p->consumed = 0;
}

static bool next_line(struct sut_process *p, const char **line, size_t *length) {
  const char *from = p->output.data ? p->output.data + p->consumed : NULL;
  const char *end = from ? memchr(from, '\n', p->output.length - p->consumed) : NULL;
  if (!end) return false;
  *line = from;
  *length = (size_t)(end - from);
  p->consumed += *length + 1;
  if (*length > 0 && from[*length - 1] == '\r') --*length;
  return true;
}

enum sut_line sut_process_line(struct sut_process *p, chorus_time silence, const char **line,
                               size_t *length) {
  while (!next_line(p, line, length)) {
    drop_consumed(p);
    if (p->output.length > SUT_LINE_MAX) return SUT_LONG_LINE;
    if (p->out < 0) return SUT_CLOSED;
    if (!wait_for(p, false, silence)) return SUT_SILENT;
  }
  return *length > SUT_LINE_MAX ? SUT_LONG_LINE : SUT_LINE;
}

bool sut_process_waiting(struct sut_process *p) {
  if (p->output.length > p->consumed) return true;
  struct pollfd fd = {.fd = p->out, .events = POLLIN};
  if (p->out < 0 || poll(&fd, 1, 0) <= 0) return false;
  drop_consumed(p);
  take(&p->out, &p->output, NULL);
  return p->output.length > 0;
}

/* write() to a pipe without reader, without SIGPIPE for the process. */
static ssize_t write_quietly(int fd, const char *data, size_t length) {
  sigset_t pipe_signal, before;
  const struct timespec at_once = {0, 0};
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  ssize_t n = write(fd, data, length);
  int number = errno;
  if (n < 0 && number == EPIPE) sigtimedwait(&pipe_signal, NULL, &at_once);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = number;
  return n;
}

bool sut_process_write(struct sut_process *p, const char *data, size_t length,
                       chorus_time silence) {
  while (length > 0 && p->in >= 0) {
    ssize_t n = write_quietly(p->in, data, length);
    if (n > 0) {
      data += n;
      length -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN) {
      if (!wait_for(p, true, silence)) return false;
    } else if (n < 0 && errno != EINTR) {
      return false;
    }
  }
  return length == 0;
}

void sut_process_close_input(struct sut_process *p) {
  close_one(&p->in);
}

/* ---- ending ---- */

static bool reap(struct sut_process *p) {
  if (p->pid == 0) return true;
  if (waitpid(p->pid, &p->status, WNOHANG) != p->pid) return false;
  p->pid = 0;
  return true;
}

/* What it still says is read, as it may wait for that. */
bool sut_process_wait(struct sut_process *p, chorus_time within) {
  for (chorus_time waited = 0; !reap(p); waited += MILLISECOND) {
    if (waited >= within) return false;
    if (p->out < 0 && p->err < 0)
      poll(NULL, 0, 1);
    else
      wait_for(p, false, MILLISECOND);
  }
  for (int i = 0; i < 64 && p->err >= 0 && wait_for(p, false, 0); i++) continue;
  return true;
}

void sut_process_signal(struct sut_process *p, int signal_number) {
  if (p->pid > 0 && signal_number) kill(p->pid, signal_number);
}

/* Whether the environment of process |pid| holds the mark. */
static bool has_mark(const char *pid, const char *mark) {
  char path[64], buffer[65536];
  snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, buffer, sizeof buffer);
  close(fd);
  return n > 0 && memmem(buffer, (size_t)n, mark, strlen(mark) + 1) != NULL;
}

/* Counts, and kills, all processes that carry the mark. */
static unsigned search(const struct sut_process *p) {
  DIR *directory = opendir("/proc");
  unsigned found = 0;
  if (!directory) return 0;
  for (struct dirent *e; (e = readdir(directory));) {
    if (e->d_name[0] < '1' || e->d_name[0] > '9' || !has_mark(e->d_name, p->mark)) continue;
    pid_t pid = (pid_t)atoi(e->d_name);
    if (pid == getpid() || pid == p->pid) continue;
    kill(pid, SIGKILL);
    found++;
  }
  closedir(directory);
  return found;
}

static bool has_company(const struct sut_process *p) {
  return kill(-p->group, 0) == 0 || p->out >= 0 || p->err >= 0;
}

/* Members of its group, or who still holds its pipes, betray descendants at no cost. */
unsigned sut_process_leftover(struct sut_process *p, bool thorough) {
  if (!p->group) return 0;
  bool suspected = has_company(p);
  for (int i = 0; suspected && i < 20; i++) { /* who is just ending gets 200 ms */
    if (!wait_for(p, false, 10 * MILLISECOND)) suspected = has_company(p);
  }
  unsigned found = (suspected || thorough) && p->mark[0] ? search(p) : 0;
  if (found == 0 && kill(-p->group, SIGKILL) == 0) found = 1;
  return found;
}

void sut_process_end(struct sut_process *p) {
  if (p->group) kill(-p->group, SIGKILL);
  if (p->pid > 0) waitpid(p->pid, &p->status, 0);
  p->pid = p->group = 0;
  close_one(&p->in);
  close_one(&p->out);
  close_one(&p->err);
  txt_free(&p->output);
  p->consumed = 0;
}

const char *sut_status_text(int status, char *text, size_t size) {
  if (WIFSIGNALED(status))
    snprintf(text, size, "was ended by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
  else
    snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
  return text;
}
