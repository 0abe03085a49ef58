/* SPDX-License-Identifier: BSD-2-Clause */
/* Entering: what the host forbids is told in one sentence. */
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  ck_assert_msg(fd >= 0, "%s", path);
  ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

/* Runs in a user namespace whose limit of user namespaces is 0, as an ordinary user there. */
static void enter_in_vain(int go, int told) {
  char why[256] = "", octet;
  if (unshare(CLONE_NEWUSER) < 0) _exit(1);
  if (write(told, "u", 1) != 1 || read(go, &octet, 1) != 1) _exit(2);
  int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY);
  if (fd < 0 || write(fd, "0", 1) != 1) _exit(3);
  if (setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0) _exit(4);
  if (krn_enter(why, sizeof why)) _exit(5);
  _exit(strstr(why, "sysctl user.max_user_namespaces=") ? 0 : 6);
}

START_TEST(a_host_without_user_namespaces_is_told_of) {
  int go[2], told[2], status;
  char octet, path[64];
  ck_assert_int_eq(pipe(go) | pipe(told), 0);
  pid_t child = fork();
  if (child == 0) enter_in_vain(go[0], told[1]);
  ck_assert_int_eq(read(told[0], &octet, 1), 1);
  snprintf(path, sizeof path, "/proc/%d/uid_map", (int)child);
  write_file(path, "0 0 65536");
  snprintf(path, sizeof path, "/proc/%d/gid_map", (int)child);
  write_file(path, "0 0 65536");
  ck_assert_int_eq(write(go[1], "g", 1), 1);
  waitpid(child, &status, 0);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}
END_TEST

START_TEST(entering_twice_does_no_harm) {
  char why[256];
  ck_assert_msg(krn_enter(why, sizeof why), "%s", why);
  ck_assert_uint_eq(geteuid(), 0);
}
END_TEST

int main(void) {
  const struct lab_test all[] = {{entering_twice_does_no_harm, 1},
                                 {a_host_without_user_namespaces_is_told_of, 1}};
  /* Mapping more than oneself takes the rights of a real root. */
  return lab_main("enter", all, geteuid() == 0 ? 2 : 1);
}
