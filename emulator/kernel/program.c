/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs in the namespaces of nodes: starting them, talking to them, ending them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "internal.h"

#define LINE_MAX_OCTETS 65536u
#define INPUT_MAX       (1u << 20)
#define START_PATIENCE  10000 /* ms */

/* A buffer that grows. */
struct text {
  char *octets;
  size_t length, capacity;
};

/* Standard output or standard error. */
struct stream {
  struct krn_watch watch;
  struct krn_process *process;
  struct text line; /* the beginning of one */
  bool is_error;
};

struct input {
  struct krn_watch watch;
  struct krn_process *process;
  struct text waiting;
  bool closing; /* when nothing waits any more */
};

struct control {
  struct krn_watch watch;
  struct krn_process *process;
};

struct krn_process {
  struct krn_network *network;
  struct krn_node *node;
  struct krn_program_watch watch;
  struct stream *streams[2]; /* NULL: closed */
  struct input *input;
  struct control *control;
  pid_t first;      /* of its PID namespace */
  int first_handle; /* pidfd */
  int output;       /* file, or -1 */
  bool ended;
  unsigned leftover;
};

static bool append(struct text *text, const void *octets, size_t length) {
  if (text->length + length > text->capacity) {
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity < text->length + length) capacity *= 2;
    char *bigger = realloc(text->octets, capacity);
    if (!bigger) return false;
    text->octets = bigger;
    text->capacity = capacity;
  }
  memcpy(text->octets + text->length, octets, length);
  text->length += length;
  return true;
}

static struct krn_process *process_at(const struct krn_network *network, uint32_t program) {
  return program >= 1 && program <= network->program_count ? network->programs[program - 1] : NULL;
}

/* Output. */

static void tell_line(const struct stream *s, const char *line, size_t length) {
  const struct krn_program_watch *watch = &s->process->watch;
  if (watch->line)
    watch->line(watch->context, krn_now(s->process->network), s->is_error, line, length);
}

static void finish_line(struct stream *s) {
  size_t length = s->line.length;
  s->line.length = 0;
  tell_line(s, s->line.octets, length);
}

/* Adds to the present line, which is told in parts when it gets too long. */
static void add_to_line(struct stream *s, const char *octets, size_t length) {
  while (length > 0) {
    size_t room = LINE_MAX_OCTETS - s->line.length, part = length < room ? length : room;
    if (!append(&s->line, octets, part)) {
      s->process->network->model->failed = true;
      return;
    }
    octets += part;
    length -= part;
    if (s->line.length == LINE_MAX_OCTETS && length > 0) finish_line(s);
  }
}

static void take_output(struct stream *s, const char *octets, size_t length) {
  while (length > 0) {
    const char *end = memchr(octets, '\n', length);
    size_t part = end ? (size_t)(end - octets) : length;
    add_to_line(s, octets, part);
    if (!end) return;
    if (s->line.length == 0) append(&s->line, "", 0);
    finish_line(s);
    octets += part + 1;
    length -= part + 1;
  }
}

static void end_stream(struct stream *s) {
  if (s->line.length > 0) finish_line(s);
  s->process->streams[s->is_error] = NULL;
  free(s->line.octets);
  krn_watch_end(s->process->network, &s->watch);
}

static void keep_output(const struct krn_process *p, const char *octets, size_t length) {
  while (p->output >= 0 && length > 0) {
    ssize_t written = write(p->output, octets, length);
    if (written <= 0) return; /* a full disk: the lines still go to the watcher */
    octets += written;
    length -= (size_t)written;
  }
}

/* Reads all there is. */
static void drain_stream(struct stream *s) {
  char octets[4096];
  for (;;) {
    ssize_t length = read(s->watch.fd, octets, sizeof octets);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) break;
    krn_switch_drain(s->process->node); /* what was sent before is seen to leave before */
    keep_output(s->process, octets, (size_t)length);
    take_output(s, octets, (size_t)length);
    if (s->watch.dead) return;
  }
  end_stream(s);
}

static void stream_ready(struct krn_watch *watch, uint32_t events) {
  (void)events;
  drain_stream((struct stream *)(void *)watch);
}

/* Input. */

static void end_input(struct krn_process *p) {
  struct input *input = p->input;
  if (!input) return;
  p->input = NULL;
  free(input->waiting.octets);
  krn_watch_end(p->network, &input->watch);
}

/* A pipe that nobody reads must not kill us. */
static ssize_t write_quietly(int fd, const void *octets, size_t length) {
  sigset_t broken, before, pending;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  sigpending(&pending);
  ssize_t written = write(fd, octets, length);
  int error = errno;
  if (written < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
    const struct timespec now = {0};
    sigtimedwait(&broken, NULL, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return written;
}

/* Writes what waits, as far as the program takes it. False: it takes nothing any more. */
static bool flush_input(struct input *input) {
  struct text *text = &input->waiting;
  while (text->length > 0) {
    ssize_t length = write_quietly(input->watch.fd, text->octets, text->length);
    if (length < 0 && errno == EAGAIN) break;
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return false;
    text->length -= (size_t)length;
    memmove(text->octets, text->octets + length, text->length);
  }
  krn_watch_events(input->process->network, &input->watch, text->length > 0 ? EPOLLOUT : 0);
  return true;
}

static void input_ready(struct krn_watch *watch, uint32_t events) {
  struct input *input = (struct input *)(void *)watch;
  bool alive = !(events & EPOLLERR) && flush_input(input);
  if (!alive || (input->closing && input->waiting.length == 0)) end_input(input->process);
}

bool krn_write(struct krn_network *network, uint32_t program, const void *data, size_t length) {
  struct krn_process *p = process_at(network, program);
  if (!p || p->ended || !p->input || p->input->closing) return false;
  if (p->input->waiting.length + length > INPUT_MAX) return false;
  if (!append(&p->input->waiting, data, length)) return false;
  if (flush_input(p->input)) return true;
  end_input(p);
  return false;
}

void krn_close_input(struct krn_network *network, uint32_t program) {
  struct krn_process *p = process_at(network, program);
  if (!p || !p->input) return;
  p->input->closing = true;
  if (p->input->waiting.length == 0) end_input(p);
}

/* The end. */

static void end_control(struct krn_process *p) {
  struct control *control = p->control;
  p->control = NULL;
  if (control) krn_watch_end(p->network, &control->watch);
}

static void tell_end(struct krn_process *p, const struct krn_init_news *news) {
  if (p->ended) return;
  p->ended = true;
  p->leftover = news->leftover;
  krn_switch_drain(p->node);
  for (int i = 0; i < 2; i++)
    if (p->streams[i]) drain_stream(p->streams[i]);
  for (int i = 0; i < 2; i++)
    if (p->streams[i] && p->streams[i]->line.length > 0) finish_line(p->streams[i]);
  end_input(p);
  if (p->watch.ended) p->watch.ended(p->watch.context, krn_now(p->network), news->status);
}

static void control_ready(struct krn_watch *watch, uint32_t events) {
  (void)events;
  struct krn_process *p = ((struct control *)(void *)watch)->process;
  struct krn_init_news news;
  ssize_t length = recv(watch->fd, &news, sizeof news, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length != sizeof news) { /* the first process was killed, and everything with it */
    end_control(p);
    news = (struct krn_init_news){.event = KRN_INIT_ENDED, .status = SIGKILL};
  }
  if (news.event == KRN_INIT_ENDED) tell_end(p, &news);
}

void krn_signal(struct krn_network *network, uint32_t program, int number) {
  const struct krn_process *p = process_at(network, program);
  if (!p || !p->control) return;
  if (send(p->control->watch.fd, &number, sizeof number, MSG_NOSIGNAL) < 0) return; /* has ended */
}

bool krn_running(const struct krn_network *network, uint32_t program) {
  const struct krn_process *p = process_at(network, program);
  return p && !p->ended;
}

unsigned krn_leftover(const struct krn_network *network, uint32_t program) {
  const struct krn_process *p = process_at(network, program);
  return p ? p->leftover : 0;
}

static void free_process(struct krn_process *p) {
  for (int i = 0; i < 2; i++) {
    struct stream *s = p->streams[i];
    if (!s) continue;
    free(s->line.octets);
    krn_watch_end(p->network, &s->watch);
  }
  end_input(p);
  end_control(p);
  if (p->output >= 0) close(p->output);
  if (p->first_handle >= 0) close(p->first_handle);
  free(p);
}

void krn_programs_end(struct krn_network *network) {
  for (uint32_t i = 0; i < network->program_count; i++)
    syscall(SYS_pidfd_send_signal, network->programs[i]->first_handle, SIGKILL, NULL, 0u);
  for (uint32_t i = 0; i < network->program_count; i++) {
    waitpid(network->programs[i]->first, NULL, __WALL);
    free_process(network->programs[i]);
  }
  network->program_count = 0;
}

/* Starting. */

extern char **environ;

static size_t count_strings(const char *const *strings) {
  size_t count = 0;
  while (strings && strings[count]) count++;
  return count;
}

static bool same_name(const char *a, const char *b) {
  const char *end = strchr(a, '=');
  size_t length = end ? (size_t)(end - a) + 1 : strlen(a);
  return strncmp(a, b, length) == 0;
}

/* Ours with additions, which take the place of those of the same name. NULL: no memory. */
static char **make_environment(const char *const *additions) {
  size_t added = count_strings(additions);
  size_t count = count_strings((const char *const *)environ);
  char **all = malloc((added + count + 1) * sizeof(char *));
  if (!all) return NULL;
  size_t used = 0;
  for (size_t i = 0; i < added; i++) all[used++] = (char *)(uintptr_t)additions[i];
  for (size_t i = 0; i < count; i++) {
    bool replaced = false;
    for (size_t j = 0; j < added && !replaced; j++) replaced = same_name(additions[j], environ[i]);
    if (!replaced) all[used++] = environ[i];
  }
  all[used] = NULL;
  return all;
}

/* Both ends of the three pipes and of the control socket. */
struct ends {
  int ours[4], theirs[4]; /* standard input, output, error; control */
};

static void close_ends(int ends[4]) {
  for (int i = 0; i < 4; i++) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
}

/* One of the four; standard streams that are inherited have no end of ours. */
static bool open_end(struct ends *e, int i, bool inherited) {
  int pair[2];
  if (inherited) return (e->theirs[i] = fcntl(i, F_DUPFD_CLOEXEC, 3)) >= 0;
  int failed =
      i < 3 ? pipe2(pair, O_CLOEXEC) : socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
  if (failed) return false;
  bool input = i == 0; /* the read end of a pipe comes first */
  e->theirs[i] = pair[!input];
  e->ours[i] = pair[input];
  if (i < 3) fcntl(e->ours[i], F_SETFL, O_NONBLOCK);
  return true;
}

static bool open_ends(const struct krn_program *program, struct ends *e) {
  const bool inherited[4] = {program->inherit_input, program->inherit_output,
                             program->inherit_output, false};
  *e = (struct ends){{-1, -1, -1, -1}, {-1, -1, -1, -1}};
  for (int i = 0; i < 4 && open_end(e, i, inherited[i]); i++) continue;
  if (e->ours[3] >= 0) return true;
  close_ends(e->ours);
  close_ends(e->theirs);
  return false;
}

/* Waits for the first process to say whether the program runs. 0 or an errno. */
static int await_start(int control) {
  struct krn_init_news news;
  struct pollfd file = {.fd = control, .events = POLLIN};
  if (poll(&file, 1, START_PATIENCE) <= 0) return ETIMEDOUT;
  if (recv(control, &news, sizeof news, 0) != sizeof news) return ECHILD;
  return news.event == KRN_INIT_FAILED ? news.status : 0;
}

/* Makes the processes. 0 or an errno. */
static int launch(const struct krn_node *node, const struct krn_program *program,
                  const struct ends *ends, struct krn_process *p) {
  char **environment = make_environment(program->environment);
  if (!environment) return ENOMEM;
  struct krn_init init = {.arguments = program->arguments,
                          .environment = environment,
                          .directory = program->directory,
                          .input = ends->theirs[0],
                          .output = ends->theirs[1],
                          .error = ends->theirs[2],
                          .control = ends->theirs[3],
                          .files = node->network->files,
                          .own_memory = program->own_memory};
  krn_namespace_enter(node->space.fd);
  p->first = krn_init_start(&init, &p->first_handle);
  int error = p->first < 0 ? errno : 0;
  krn_namespace_enter(node->network->home);
  free(environment);
  return error;
}

static void *adopt(struct krn_network *network, void *object, int *fd, uint32_t events) {
  struct krn_watch *watch = object;
  watch->fd = *fd;
  if (!krn_watch_add(network, watch, events)) {
    free(object);
    return NULL;
  }
  *fd = -1;
  return object;
}

static struct stream *adopt_stream(struct krn_process *p, int *fd, bool is_error) {
  struct stream *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->watch.ready = stream_ready;
  s->process = p;
  s->is_error = is_error;
  return adopt(p->network, s, fd, EPOLLIN);
}

static struct input *adopt_input(struct krn_process *p, int *fd) {
  struct input *input = calloc(1, sizeof *input);
  if (!input) return NULL;
  input->watch.ready = input_ready;
  input->process = p;
  return adopt(p->network, input, fd, 0);
}

static struct control *adopt_control(struct krn_process *p, int *fd) {
  struct control *control = calloc(1, sizeof *control);
  if (!control) return NULL;
  control->watch.ready = control_ready;
  control->process = p;
  return adopt(p->network, control, fd, EPOLLIN);
}

static bool watch_ends(struct krn_process *p, struct ends *ends) {
  const bool input = ends->ours[0] >= 0, output = ends->ours[1] >= 0;
  if (input) p->input = adopt_input(p, &ends->ours[0]);
  if (output) p->streams[0] = adopt_stream(p, &ends->ours[1], false);
  if (output) p->streams[1] = adopt_stream(p, &ends->ours[2], true);
  p->control = adopt_control(p, &ends->ours[3]);
  return (p->input || !input) && ((p->streams[0] && p->streams[1]) || !output) && p->control;
}

static bool reserve_program(struct krn_network *network) {
  if (network->program_count < network->program_capacity) return true;
  uint32_t capacity = network->program_capacity ? network->program_capacity * 2 : 16;
  struct krn_process **programs = realloc(network->programs, capacity * sizeof *programs);
  if (!programs) return false;
  network->programs = programs;
  network->program_capacity = capacity;
  return true;
}

static int open_output(const struct krn_program *program, struct krn_process *p) {
  if (!program->output) return 0;
  p->output = open(program->output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  return p->output < 0 ? errno : 0;
}

/* Ends what has been started in vain. */
static void abandon(struct krn_process *p) {
  if (p->first > 0) {
    syscall(SYS_pidfd_send_signal, p->first_handle, SIGKILL, NULL, 0u);
    waitpid(p->first, NULL, __WALL);
  }
  free_process(p);
}

/* 0 or an errno. */
static int start(const struct krn_node *node, const struct krn_program *program,
                 struct krn_process *p) {
  struct ends ends;
  int error = open_output(program, p);
  if (error) return error;
  if (!open_ends(program, &ends)) return errno;
  error = launch(node, program, &ends, p);
  close_ends(ends.theirs);
  if (!error) error = await_start(ends.ours[3]);
  if (!error && !watch_ends(p, &ends)) error = ENOMEM;
  close_ends(ends.ours);
  return error;
}

uint32_t krn_spawn(struct krn_network *network, uint32_t node, const struct krn_program *program) {
  struct krn_node *n = krn_node_at(network, node);
  if (!n || n->presence == KRN_PORT) {
    krn_complain(network->why, "this node has no namespace to run programs in");
    return 0;
  }
  struct krn_process *p = reserve_program(network) ? calloc(1, sizeof *p) : NULL;
  if (!p) return krn_complain(network->why, "no memory");
  *p = (struct krn_process){
      .network = network, .node = n, .watch = program->watch, .first_handle = -1, .output = -1};
  int error = start(n, program, p);
  if (error) {
    abandon(p);
    krn_complain(network->why, "cannot start %s: %s", program->arguments[0], strerror(error));
    return 0;
  }
  network->programs[network->program_count++] = p;
  return network->program_count;
}
