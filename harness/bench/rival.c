/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/rival.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/load.h"

extern char **environ;

static bool complain(char *why, size_t size, const char *what) {
  snprintf(why, size, "%s: %s", what, strerror(errno));
  return false;
}

/* ---- namespaces ---- */

static int here(void) {
  return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* IPv4 alone: what IPv6 says for itself would count among the frames that are carried. */
static void without_ipv6(void) {
  static const char *const places[] = {"all", "default"};
  for (size_t i = 0; i < 2; i++) {
    char path[80];
    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", places[i]);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;
    if (write(fd, "1", 1) < 0) errno = 0; /* then there is a little more traffic */
    close(fd);
  }
}

/* A new namespace, in which the thread is then; -1: it could not be made. */
static int make_space(void) {
  if (unshare(CLONE_NEWNET) < 0) return -1;
  without_ipv6();
  return here();
}

/* Address and state of the interface of host |i|, in its namespace. */
static bool furnish(size_t i) {
  struct ifreq request = {.ifr_flags = 0};
  struct sockaddr_in address = {.sin_family = AF_INET};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  memcpy(request.ifr_name, LOAD_INTERFACE, sizeof LOAD_INTERFACE);
  address.sin_addr.s_addr = load_address(i);
  memcpy(&request.ifr_addr, &address, sizeof address);
  bool ok = ioctl(fd, SIOCSIFADDR, &request) == 0;
  address.sin_addr.s_addr = htonl(0xffffff00u);
  memcpy(&request.ifr_netmask, &address, sizeof address);
  ok = ok && ioctl(fd, SIOCSIFNETMASK, &request) == 0;
  request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST | IFF_BROADCAST;
  ok = ok && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return ok;
}

static bool begin(struct rival *r, size_t count, char *why, size_t size) {
  *r = (struct rival){.count = count, .middle = -1};
  r->spaces = malloc(count * sizeof *r->spaces);
  for (size_t i = 0; r->spaces && i < count; i++) r->spaces[i] = -1;
  if (!r->spaces) snprintf(why, size, "no memory");
  return r->spaces != NULL;
}

/* ---- the bridge ---- */

static bool has_ip(void) {
  return system("command -v ip >/dev/null 2>&1") == 0;
}

/* In the bridge's namespace, by iproute2: a bridge, and a pair of veth devices to each host. */
static bool join_by_bridge(const struct rival *r) {
  FILE *batch = popen("ip -batch - >/dev/null 2>&1", "w");
  if (!batch) return false;
  fprintf(batch, "link add br0 type bridge mcast_snooping 0\nlink set br0 up\n");
  for (size_t i = 0; i < r->count; i++)
    fprintf(batch,
            "link add p%zu type veth peer name " LOAD_INTERFACE
            " netns /proc/%ld/fd/%d\n"
            "link set p%zu master br0 up\n",
            i, (long)getpid(), r->spaces[i], i);
  return pclose(batch) == 0;
}

static bool build_bridge(struct rival *r, char *why, size_t size) {
  for (size_t i = 0; i < r->count; i++)
    if ((r->spaces[i] = make_space()) < 0) return complain(why, size, "no network namespace");
  if ((r->middle = make_space()) < 0) return complain(why, size, "no network namespace");
  if (!join_by_bridge(r)) {
    snprintf(why, size, "ip (iproute2) cannot make the bridge");
    return false;
  }
  for (size_t i = 0; i < r->count; i++)
    if (setns(r->spaces[i], CLONE_NEWNET) < 0 || !furnish(i))
      return complain(why, size, "cannot configure a host");
  return true;
}

/* Runs |build| and comes back to the namespace that the thread was in. */
static bool from_home(struct rival *r, bool (*build)(struct rival *, char *, size_t), char *why,
                      size_t size) {
  int home = here();
  if (home < 0) return complain(why, size, "cannot open the namespace");
  bool ok = build(r, why, size);
  if (setns(home, CLONE_NEWNET) < 0) abort();
  close(home);
  return ok;
}

bool rival_bridge(struct rival *rival, size_t count, char *why, size_t size) {
  if (!begin(rival, count, why, size)) return false;
  if (has_ip()) return from_home(rival, build_bridge, why, size);
  snprintf(why, size, "there is no ip (iproute2)");
  return false;
}

/* ---- ns-3 ---- */

/* Inherited by the child; goes with its namespace (closing one that is not persistent takes long).
 */
static int open_tap(void) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) return -1;
  memcpy(request.ifr_name, LOAD_INTERFACE, sizeof LOAD_INTERFACE);
  if (ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0) return fd;
  close(fd);
  return -1;
}

static bool build_taps(struct rival *r, char *why, size_t size) {
  r->devices = malloc(r->count * sizeof *r->devices);
  for (size_t i = 0; r->devices && i < r->count; i++) r->devices[i] = -1;
  for (size_t i = 0; r->devices && i < r->count; i++) {
    if ((r->spaces[i] = make_space()) < 0) return complain(why, size, "no network namespace");
    if ((r->devices[i] = open_tap()) < 0) return complain(why, size, "no TAP device");
    if (!furnish(i)) return complain(why, size, "cannot configure a host");
  }
  return r->devices != NULL;
}

/* Waits for the line that says that it runs. */
static bool await_child(int pipe) {
  char c;
  ssize_t length;
  do length = read(pipe, &c, 1);
  while (length < 0 && errno == EINTR);
  return length == 1;
}

static bool start_child(struct rival *r, const char *program) {
  char(*numbers)[12] = calloc(r->count, sizeof *numbers);
  char **arguments = calloc(r->count + 2, sizeof *arguments);
  posix_spawn_file_actions_t actions;
  int ends[2];
  bool ok = numbers && arguments && pipe(ends) == 0;
  if (ok) {
    arguments[0] = (char *)(uintptr_t)program;
    for (size_t i = 0; i < r->count; i++) {
      snprintf(numbers[i], sizeof numbers[i], "%d", r->devices[i]);
      arguments[i + 1] = numbers[i];
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ok = posix_spawn(&r->child, program, &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!ok) r->child = 0;
    ok = ok && await_child(ends[0]);
    close(ends[0]);
  }
  free(numbers);
  free(arguments);
  return ok;
}

bool rival_ns3(struct rival *rival, const struct bench_peer *peer, size_t count, char *why,
               size_t size) {
  if (!begin(rival, count, why, size) || !from_home(rival, build_taps, why, size)) return false;
  if (start_child(rival, bench_peer_program(peer))) return true;
  snprintf(why, size, "its program does not start");
  return false;
}

/* ---- the end ---- */

void rival_free(struct rival *r) {
  if (r->child) {
    kill(r->child, SIGKILL);
    waitpid(r->child, NULL, 0);
  }
  for (size_t i = 0; r->devices && i < r->count; i++)
    if (r->devices[i] >= 0) close(r->devices[i]);
  for (size_t i = 0; r->spaces && i < r->count; i++)
    if (r->spaces[i] >= 0) close(r->spaces[i]);
  if (r->middle >= 0) close(r->middle);
  free(r->devices);
  free(r->spaces);
  *r = (struct rival){.middle = -1};
}
