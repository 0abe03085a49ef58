/* SPDX-License-Identifier: BSD-2-Clause */
/* Getting the right to make namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chorus/kernel.h"
#include "netlink.h"

/* Whether this process can make network namespaces as it is; tried in a child. */
static bool has_right(void) {
  if (geteuid() != 0) return false;
  pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
  int status;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

/* The number in a file below /proc/sys, or |missing|. */
static long setting(const char *name, long missing) {
  char path[96], text[32];
  snprintf(path, sizeof path, "/proc/sys/%s", name);
  FILE *file = fopen(path, "re");
  if (!file) return missing;
  bool read = fgets(text, sizeof text, file) != NULL;
  fclose(file);
  return read ? strtol(text, NULL, 10) : missing;
}

static bool explain(char *why, size_t size, int error) {
  static const char *const needed = "the kernel backend needs a user namespace or root";
  if (setting("kernel/unprivileged_userns_clone", 1) == 0)
    snprintf(why, size, "%s; allow it by: sysctl kernel.unprivileged_userns_clone=1", needed);
  else if (setting("user/max_user_namespaces", 1) == 0)
    snprintf(why, size, "%s; allow it by: sysctl user.max_user_namespaces=10000", needed);
  else if (setting("user/max_net_namespaces", 1) == 0)
    snprintf(why, size, "%s; allow it by: sysctl user.max_net_namespaces=10000", needed);
  else if (setting("kernel/apparmor_restrict_unprivileged_userns", 0) != 0)
    snprintf(why, size,
             "%s; allow it by: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an "
             "AppArmor profile with \"userns\"",
             needed);
  else
    snprintf(why, size, "%s, which this host forbids (%s; maybe a container's seccomp filter)",
             needed, strerror(error));
  return false;
}

static bool write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t length = strlen(text);
  bool done = write(fd, text, length) == (ssize_t)length;
  close(fd);
  return done;
}

static bool map_ids(uid_t user, gid_t group) {
  char users[48], groups[48];
  snprintf(users, sizeof users, "0 %u 1", (unsigned)user);
  snprintf(groups, sizeof groups, "0 %u 1", (unsigned)group);
  return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", users) &&
         write_file("/proc/self/gid_map", groups);
}

bool krn_enter(char *why, size_t size) {
  if (has_right()) return true;
  uid_t user = geteuid();
  gid_t group = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return explain(why, size, errno);
  if (!map_ids(user, group)) return explain(why, size, errno);
  struct krn_netlink netlink;
  if (krn_netlink_open(&netlink) == 0) krn_link_up(&netlink, 1, false); /* lo */
  krn_netlink_close(&netlink);
  return true;
}
