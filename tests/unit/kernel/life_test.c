/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing outlives the process that made it. */
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "lab.h"

#define NODES 4

/* What the doomed process tells about itself. */
struct traces {
  ino_t spaces[NODES]; /* inodes of its namespaces */
  char mark[32];       /* argument of its programs */
};

static void nap(void) {
  const struct timespec time = {.tv_nsec = 20000000};
  nanosleep(&time, NULL);
}

/* Processes of which |path| (below /proc/PID) contains |text|, after |replace| of NULs. */
static bool file_contains(const char *path, const char *text) {
  char octets[4096];
  FILE *file = fopen(path, "r");
  if (!file) return false;
  size_t length = fread(octets, 1, sizeof octets - 1, file);
  fclose(file);
  for (size_t i = 0; i < length; i++)
    if (octets[i] == '\0') octets[i] = ' ';
  octets[length] = '\0';
  return strstr(octets, text) != NULL;
}

static int count_marked(const char *mark) {
  int count = 0;
  DIR *processes = opendir("/proc");
  for (struct dirent *e; (e = readdir(processes));) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
    if (e->d_name[0] >= '1' && e->d_name[0] <= '9') count += file_contains(path, mark);
  }
  closedir(processes);
  return count;
}

static bool link_names(const char *path, ino_t inode) {
  char target[64] = "", wanted[64];
  if (readlink(path, target, sizeof target - 1) < 0) return false;
  snprintf(wanted, sizeof wanted, "net:[%lu]", (unsigned long)inode);
  return strcmp(target, wanted) == 0;
}

/* Whether the process is in the namespace, or holds it open. */
static bool holds(const char *process, ino_t inode) {
  char folder[300], path[700];
  snprintf(path, sizeof path, "/proc/%s/ns/net", process);
  if (link_names(path, inode)) return true;
  snprintf(folder, sizeof folder, "/proc/%s/fd", process);
  DIR *files = opendir(folder);
  bool found = false;
  for (struct dirent *e; files && !found && (e = readdir(files));) {
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    found = link_names(path, inode);
  }
  if (files) closedir(files);
  return found;
}

static int count_holders(ino_t inode) {
  int count = 0;
  DIR *processes = opendir("/proc");
  for (struct dirent *e; (e = readdir(processes));)
    if (e->d_name[0] >= '1' && e->d_name[0] <= '9') count += holds(e->d_name, inode);
  closedir(processes);
  return count;
}

static void spawn_sleepers(struct lab *lab, uint32_t node, const char *mark) {
  char
      script[128]; /* one in a session of its own that ignores what it can, one in the background */
  snprintf(script, sizeof script, "trap '' TERM HUP INT; setsid sleep %s & sleep %s", mark, mark);
  const char *const arguments[] = {"sh", "-c", script, NULL};
  struct krn_program program = {.arguments = arguments};
  ck_assert_uint_ne(krn_spawn(lab->network, node, &program), 0);
}

/* Makes a network with programs, tells of it, and serves it for ever. */
static void live(int pipe_end) {
  struct traces traces = {0};
  struct lab *lab = lab_default();
  snprintf(traces.mark, sizeof traces.mark, "10%d.5", (int)getpid());
  for (int i = 0; i < NODES; i++) {
    char name[8], address[32];
    snprintf(name, sizeof name, "n%d", i);
    snprintf(address, sizeof address, "[2001:db8::%d]", i + 1);
    lab_add_as(lab, name, address, KRN_HOST, (struct emu_node_config){0});
    struct stat status;
    fstat(lab->network->nodes[i]->space.fd, &status);
    traces.spaces[i] = status.st_ino;
    spawn_sleepers(lab, (uint32_t)i, traces.mark);
  }
  lab_go(lab);
  if (write(pipe_end, &traces, sizeof traces) < 0) _exit(1);
  krn_run_until(lab->network, 1000 * CHORUS_SECOND);
  _exit(1);
}

static pid_t start(struct traces *traces) {
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) live(ends[1]);
  close(ends[1]);
  ck_assert_int_eq(read(ends[0], traces, sizeof *traces), sizeof *traces);
  close(ends[0]);
  return child;
}

START_TEST(nothing_is_left_of_a_killed_process) {
  struct traces traces;
  pid_t child = start(&traces);
  for (int i = 0; i < 100 && count_marked(traces.mark) < 2 * NODES; i++) nap();
  ck_assert_int_ge(count_marked(traces.mark), 2 * NODES);
  ck_assert_int_ge(count_holders(traces.spaces[0]), 2);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  for (int i = 0; i < 100 && count_marked(traces.mark) > 0; i++) nap();
  ck_assert_int_eq(count_marked(traces.mark), 0);
  for (int i = 0; i < NODES; i++) ck_assert_int_eq(count_holders(traces.spaces[i]), 0);
}
END_TEST

START_TEST(freeing_ends_all_programs) {
  struct lab *lab = lab_default();
  char mark[32];
  snprintf(mark, sizeof mark, "11%d.5", (int)getpid());
  lab_add_as(lab, "p", "[2001:db8::1]", KRN_HOST, (struct emu_node_config){0});
  struct stat status;
  fstat(lab->network->nodes[0]->space.fd, &status);
  spawn_sleepers(lab, 0, mark);
  for (int i = 0; i < 100 && count_marked(mark) < 2; i++) nap();
  lab_free(lab);
  ck_assert_int_eq(count_marked(mark), 0);
  ck_assert_int_eq(count_holders(status.st_ino), 0);
}
END_TEST

static int count_files(void) {
  int count = 0;
  DIR *files = opendir("/proc/self/fd");
  while (readdir(files)) count++;
  closedir(files);
  return count;
}

START_TEST(networks_leave_no_descriptors) {
  struct stat before, after;
  int files = count_files();
  stat("/proc/thread-self/ns/net", &before);
  for (int i = 0; i < 3; i++) {
    struct lab *lab = lab_default();
    lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 5683, "[ff35::1]:5683");
    lab_add_as(lab, "p", "[2001:db8::2]", KRN_HOST, (struct emu_node_config){0});
    spawn_sleepers(lab, 1, "12.5");
    lab_go(lab);
    lab_free(lab);
  }
  stat("/proc/thread-self/ns/net", &after);
  ck_assert_int_eq(count_files(), files);
  ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(programs_reach_nothing_outside) {
  struct lab *lab = lab_default();
  lab_add_as(lab, "p", "[2001:db8::1],192.0.2.1", KRN_HOST, (struct emu_node_config){0});
  lab_go(lab);
  const char *const arguments[] = {
      "python3", "-c",
      "import socket\n"
      "socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b'x',('203.0.113.7',7))\n",
      NULL};
  ck_assert_uint_ne(krn_spawn(lab->network, 0, &(struct krn_program){.arguments = arguments}), 0);
  for (int i = 0; i < 1000 && lab->fate_count == 0; i++) lab_run(lab, 5 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab_count_fate(lab, EMU_ANY, EMU_DROPPED_NO_ROUTE), 1);
  lab_free(lab);
}
END_TEST

LAB_SUITE("life", {nothing_is_left_of_a_killed_process, 1}, {freeing_ends_all_programs, 1},
          {networks_leave_no_descriptors, 1}, {programs_reach_nothing_outside, 1})
