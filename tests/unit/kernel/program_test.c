/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs in the namespaces of nodes. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "namespace.h"

#define GROUP_V6 "[ff35::1]:5683"
#define GROUP_V4 "224.0.1.187:5683"

/* What a program was heard to say and do. */
struct ear {
  char text[65536]; /* lines, each with "o:" or "e:" before and a line end behind */
  size_t length, lines, longest;
  size_t ends;
  int status;
  size_t lines_at_end;
  const struct lab *lab;
  size_t early; /* lines that came before as many packets */
};

static void hear_line(void *context, chorus_time now, bool is_error, const char *line,
                      size_t length) {
  struct ear *ear = context;
  (void)now;
  ear->lines++;
  if (ear->lab && ear->lab->sent_count < ear->lines) ear->early++;
  if (length > ear->longest) ear->longest = length;
  if (ear->length + length + 4 > sizeof ear->text) return;
  ear->length += (size_t)sprintf(ear->text + ear->length, "%c:%.*s\n", is_error ? 'e' : 'o',
                                 (int)length, line);
}

static void hear_end(void *context, chorus_time now, int status) {
  struct ear *ear = context;
  (void)now;
  ear->ends++;
  ear->status = status;
  ear->lines_at_end = ear->lines;
}

static uint32_t spawn_with(struct lab *lab, uint32_t node, struct ear *ear,
                           struct krn_program program) {
  program.watch = (struct krn_program_watch){.context = ear, .line = hear_line, .ended = hear_end};
  return krn_spawn(lab->network, node, &program);
}

static uint32_t shell(struct lab *lab, uint32_t node, struct ear *ear, const char *script) {
  const char *const arguments[] = {"sh", "-c", script, NULL};
  uint32_t program = spawn_with(lab, node, ear, (struct krn_program){.arguments = arguments});
  ck_assert_msg(program != 0, "%s", krn_error(lab->network));
  return program;
}

static struct lab *with_host(void) {
  struct lab *lab = lab_default();
  lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 5683, NULL);
  lab_add_as(lab, "p", "[2001:db8::2],192.0.2.2", KRN_HOST, (struct emu_node_config){0});
  lab_go(lab);
  return lab;
}

/* Real seconds, for programs that take their time. */
static void await_long(struct lab *lab, const size_t *count, size_t wanted) {
  for (int i = 0; i < 2000 && *count < wanted; i++) lab_run(lab, 5 * CHORUS_MILLISECOND);
  ck_assert_uint_ge(*count, wanted);
}

START_TEST(lines_come_before_the_end) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  uint32_t program = shell(lab, 1, ear, "echo one; echo two >&2; printf three; exit 7");
  ck_assert(krn_running(lab->network, program));
  await_long(lab, &ear->ends, 1);
  ck_assert_uint_eq(ear->lines_at_end, 3);
  ck_assert_ptr_nonnull(strstr(ear->text, "o:one\n"));
  ck_assert_ptr_nonnull(strstr(ear->text, "e:two\n"));
  ck_assert_ptr_nonnull(strstr(ear->text, "o:three\n"));
  ck_assert(WIFEXITED(ear->status) && WEXITSTATUS(ear->status) == 7);
  ck_assert(!krn_running(lab->network, program));
  ck_assert_uint_eq(krn_leftover(lab->network, program), 0);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(input_reaches_the_program) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  uint32_t program = shell(lab, 1, ear, "while read x; do echo got $x; done; echo end");
  ck_assert(krn_write(lab->network, program, "1\n2\n", 4));
  await_long(lab, &ear->lines, 2);
  krn_close_input(lab->network, program);
  await_long(lab, &ear->ends, 1);
  ck_assert_str_eq(ear->text, "o:got 1\no:got 2\no:end\n");
  ck_assert(!krn_write(lab->network, program, "3\n", 2));
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(input_that_nobody_reads_has_a_limit) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  static char block[65536];
  uint32_t deaf = shell(lab, 1, ear, "exec sleep 100");
  int taken = 0;
  while (taken < 100 && krn_write(lab->network, deaf, block, sizeof block)) taken++;
  ck_assert_int_ge(taken, 16);
  ck_assert_int_lt(taken, 20);
  uint32_t closed = shell(lab, 1, ear, "exec <&-; echo closed; exec sleep 100");
  await_long(lab, &ear->lines, 1);
  ck_assert(!krn_write(lab->network, closed, "x", 1)); /* and we are alive */
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(much_input_comes_through) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  static char block[500000];
  uint32_t program = shell(lab, 1, ear, "wc -c");
  ck_assert(krn_write(lab->network, program, block, sizeof block));
  krn_close_input(lab->network, program);
  await_long(lab, &ear->ends, 1);
  ck_assert_str_eq(ear->text, "o:500000\n");
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(long_lines_come_in_parts) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  shell(lab, 1, ear, "head -c 100000 /dev/zero | tr '\\0' x; echo; echo; echo last");
  await_long(lab, &ear->ends, 1);
  ck_assert_uint_eq(ear->lines, 4); /* 65536, the rest, an empty one, the last */
  ck_assert_uint_eq(ear->longest, 65536);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(programs_have_their_environment) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  char output[] = "/tmp/chorus-program-XXXXXX";
  close(mkstemp(output));
  setenv("LAB_OURS", "ours", 1);
  setenv("LAB_BOTH", "ours", 1);
  const char *const additions[] = {"LAB_BOTH=theirs", NULL};
  const char *const arguments[] = {"sh", "-c", "echo $LAB_OURS $LAB_BOTH $PWD; ulimit -n", NULL};
  struct krn_program program = {
      .arguments = arguments, .environment = additions, .directory = "/usr", .output = output};
  ck_assert_uint_ne(spawn_with(lab, 1, ear, program), 0);
  await_long(lab, &ear->ends, 1);
  ck_assert_ptr_nonnull(strstr(ear->text, "o:ours theirs /usr\n"));
  char kept[64] = "";
  FILE *file = fopen(output, "r");
  ck_assert_ptr_nonnull(file);
  ck_assert_ptr_nonnull(fgets(kept, sizeof kept, file));
  fclose(file);
  unlink(output);
  ck_assert_str_eq(kept, "ours theirs /usr\n");
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(programs_see_their_namespace_only) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  shell(lab, 1, ear,
        "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; ls /proc/self/fd | wc -l");
  await_long(lab, &ear->ends, 1);
  ck_assert_ptr_nonnull(strstr(ear->text, "o:lo\n"));
  ck_assert_ptr_nonnull(strstr(ear->text, "o:" KRN_INTERFACE "\n"));
  ck_assert_ptr_nonnull(strstr(ear->text, "o:4\n")); /* 0 to 2 and that of ls */
  ck_assert_uint_eq(ear->lines, 3);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(what_cannot_start_is_told) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  const char *const missing[] = {"no-such-program-here", NULL};
  setenv("PATH", "/usr/bin:/bin", 1); /* folders that anybody may look into */
  ck_assert_uint_eq(spawn_with(lab, 1, ear, (struct krn_program){.arguments = missing}), 0);
  ck_assert_str_eq(krn_error(lab->network),
                   "cannot start no-such-program-here: No such file or directory");
  struct krn_program lost = {.arguments = (const char *const[]){"true", NULL},
                             .directory = "/no/such/folder"};
  ck_assert_uint_eq(spawn_with(lab, 1, ear, lost), 0);
  ck_assert_uint_eq(spawn_with(lab, 99, ear, lost), 0);
  ck_assert_uint_eq(ear->ends, 0);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(signals_are_forwarded) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  uint32_t polite =
      shell(lab, 1, ear, "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done");
  await_long(lab, &ear->lines, 1);
  krn_signal(lab->network, polite, SIGTERM);
  await_long(lab, &ear->ends, 1);
  ck_assert_ptr_nonnull(strstr(ear->text, "o:bye\n"));
  ck_assert(WIFEXITED(ear->status) && WEXITSTATUS(ear->status) == 3);
  uint32_t program = shell(lab, 1, ear, "exec sleep 100");
  krn_signal(lab->network, program, SIGKILL);
  await_long(lab, &ear->ends, 2);
  ck_assert(WIFSIGNALED(ear->status) && WTERMSIG(ear->status) == SIGKILL);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(forgotten_processes_are_counted) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  uint32_t program = shell(lab, 1, ear, "sleep 100 & sleep 100 & echo away");
  await_long(lab, &ear->ends, 1);
  ck_assert_uint_eq(krn_leftover(lab->network, program), 2);
  ck_assert_uint_eq(ear->lines_at_end, 1);
  lab_free(lab);
  free(ear);
}
END_TEST

/*
 * A UDP server on the wildcard address that joins nothing, and says what it got. Its argument is 4
 * or 6: Linux gives groups of IPv4 to sockets of IPv4 only, unless they joined themselves.
 */
#define SERVER                                    \
  "import socket,sys\n"                           \
  "v4=sys.argv[1]=='4'\n"                         \
  "f=socket.AF_INET if v4 else socket.AF_INET6\n" \
  "s=socket.socket(f,socket.SOCK_DGRAM)\n"        \
  "s.bind(('0.0.0.0' if v4 else '::',5683))\n"    \
  "print('ready',flush=True)\n"                   \
  "while True:\n"                                 \
  "  d,a=s.recvfrom(9999)\n"                      \
  "  s.sendto(d.upper(),a)\n"                     \
  "  print(d.decode(),a[0],flush=True)\n"

static uint32_t serve(struct lab *lab, struct ear *ear, bool v4) {
  const char *const arguments[] = {"python3", "-c", SERVER, v4 ? "4" : "6", NULL};
  uint32_t program = spawn_with(lab, 1, ear, (struct krn_program){.arguments = arguments});
  ck_assert_msg(program != 0, "%s", krn_error(lab->network));
  await_long(lab, &ear->lines, 1);
  return program;
}

START_TEST(a_helper_makes_any_server_a_member) {
  static const char *const group[] = {GROUP_V6, GROUP_V4};
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  struct chorus_endpoint endpoint = at(group[_i]);
  serve(lab, ear, _i == 1);
  lab_send(lab, 0, group[_i], "before");
  ck_assert_int_eq(krn_join(lab->network, 1, &endpoint), CHORUS_OK);
  ck_assert(krn_is_member(lab->network, 1, &endpoint));
  lab_send(lab, 0, group[_i], "during");
  await_long(lab, &lab->nodes[0].count, 1);
  ck_assert_mem_eq(lab->nodes[0].notes[0].head, "DURING", 6);
  krn_leave(lab->network, 1, &endpoint);
  ck_assert(!krn_is_member(lab->network, 1, &endpoint));
  lab_send(lab, 0, group[_i], "after");
  lab_run(lab, 50 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(ear->lines, 2);
  lab_free(lab);
  free(ear);
}
END_TEST

#define JOINER                                                        \
  "import socket,struct,sys\n"                                        \
  "s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM)\n"              \
  "i=struct.pack('@I',socket.if_nametoindex('" KRN_INTERFACE          \
  "'))\n"                                                             \
  "g=socket.inet_pton(socket.AF_INET6,'ff35::1')+i\n"                 \
  "s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_JOIN_GROUP,g)\n"      \
  "t=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"               \
  "h=socket.inet_aton('224.0.1.187')+socket.inet_aton('192.0.2.2')\n" \
  "t.setsockopt(socket.IPPROTO_IP,socket.IP_ADD_MEMBERSHIP,h)\n"      \
  "print('in',flush=True)\n"                                          \
  "sys.stdin.readline()\n"                                            \
  "s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_LEAVE_GROUP,g)\n"     \
  "t.setsockopt(socket.IPPROTO_IP,socket.IP_DROP_MEMBERSHIP,h)\n"     \
  "print('out',flush=True)\n"                                         \
  "sys.stdin.readline()\n"

#define SPEAKER                                          \
  "import socket\n"                                      \
  "s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM)\n" \
  "for i in range(200):\n"                               \
  "  s.sendto(b'x',('2001:db8::1',5683))\n"              \
  "  print('sent',flush=True)\n"

START_TEST(packets_are_seen_before_the_lines_about_them) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  const char *const arguments[] = {"python3", "-c", SPEAKER, NULL};
  ear->lab = lab;
  ck_assert_uint_ne(spawn_with(lab, 1, ear, (struct krn_program){.arguments = arguments}), 0);
  await_long(lab, &ear->ends, 1);
  ck_assert_uint_eq(ear->lines, 200);
  ck_assert_uint_eq(lab->sent_count, 200);
  ck_assert_uint_eq(ear->early, 0);
  lab_free(lab);
  free(ear);
}
END_TEST

static bool is_up(void *context, uint32_t node) {
  const struct ear *ear = context;
  return node != 1 || ear->lines > 0;
}

START_TEST(memberships_of_programs_are_seen) {
  struct lab *lab = lab_default();
  struct ear *ear = calloc(1, sizeof *ear);
  lab_add(lab, "a", "[2001:db8::1],192.0.2.1", 5683, NULL);
  lab_add_as(lab, "p", "[2001:db8::2],192.0.2.2", KRN_HOST, (struct emu_node_config){0});
  const char *const arguments[] = {"python3", "-c", JOINER, NULL};
  uint32_t program = spawn_with(lab, 1, ear, (struct krn_program){.arguments = arguments});
  ck_assert_int_eq(krn_start(lab->network, is_up, ear, 10 * CHORUS_SECOND), CHORUS_OK);
  struct chorus_endpoint v6 = at(GROUP_V6), v4 = at(GROUP_V4);
  ck_assert(krn_is_member(lab->network, 1, &v6));
  ck_assert(krn_is_member(lab->network, 1, &v4));
  ck_assert_uint_eq(lab->joined, 2);
  krn_write(lab->network, program, "\n", 1);
  await_long(lab, &lab->left, 2);
  ck_assert(!krn_is_member(lab->network, 1, &v6));
  ck_assert(!krn_is_member(lab->network, 1, &v4));
  ck_assert_uint_ge(lab->sent_count, 2); /* the reports are seen to leave */
  ck_assert_uint_eq(lab->came_count, 0);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(kernels_do_not_answer_for_groups) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  struct chorus_endpoint group = at("[ff35::1]:9");
  krn_join(lab->network, 1, &group);
  lab_send(lab, 0, "[ff35::1]:9", "?");
  lab_await(lab, &lab->came_count, 1);
  lab_run(lab, 30 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(lab->nodes[0].unreachables, 0);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(receiving_sockets_are_counted) {
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  ck_assert_uint_eq(krn_open_sockets(lab->network, 1), 0);
  serve(lab, ear, false);
  ck_assert_uint_eq(krn_open_sockets(lab->network, 1), 1);
  ck_assert_uint_eq(krn_open_sockets(lab->network, 99), 0);
  ck_assert_int_ge(krn_namespace(lab->network, 1), 0);
  ck_assert_int_eq(krn_namespace(lab->network, 99), -1);
  lab_free(lab);
  free(ear);
}
END_TEST

START_TEST(kernels_take_their_addresses_before_time_begins) {
  struct lab *lab = with_host();
  struct chorus_endpoint own = at("[2001:db8::2]:5683"), other = at("[2001:db8::1]:5683");
  int home = krn_namespace_here();
  krn_namespace_enter(krn_namespace(lab->network, 1));
  bool has_own = krn_namespace_is_host(&own), has_other = krn_namespace_is_host(&other);
  krn_namespace_enter(home);
  close(home);
  ck_assert(has_own);
  ck_assert(!has_other);
  lab_free(lab);
}
END_TEST

/* Puts pipes in the place of two standard streams of ours while the program starts. */
START_TEST(standard_streams_can_be_ours) {
  static const char *const arguments[] = {"cat", NULL};
  struct lab *lab = with_host();
  struct ear *ear = calloc(1, sizeof *ear);
  int in[2], out[2], saved[] = {dup(0), dup(1)};
  char text[16] = "";
  ck_assert(pipe(in) == 0 && pipe(out) == 0);
  dup2(in[0], 0);
  dup2(out[1], 1);
  uint32_t program = spawn_with(
      lab, 1, ear,
      (struct krn_program){.arguments = arguments, .inherit_input = true, .inherit_output = true});
  for (int i = 0; i < 2; i++) dup2(saved[i], i);
  ck_assert_msg(program != 0, "%s", krn_error(lab->network));
  ck_assert(!krn_write(lab->network, program, "x", 1));
  ck_assert_int_eq(write(in[1], "through", 7), 7);
  close(in[1]);
  close(in[0]);
  await_long(lab, &ear->ends, 1);
  ck_assert_int_eq(read(out[0], text, sizeof text), 7);
  ck_assert_str_eq(text, "through");
  ck_assert_uint_eq(ear->lines, 0);
  for (int i = 0; i < 2; i++) close(saved[i]);
  close(out[0]);
  close(out[1]);
  lab_free(lab);
  free(ear);
}
END_TEST

LAB_SUITE("program", {lines_come_before_the_end, 1}, {input_reaches_the_program, 1},
          {input_that_nobody_reads_has_a_limit, 1}, {much_input_comes_through, 1},
          {long_lines_come_in_parts, 1}, {programs_have_their_environment, 1},
          {programs_see_their_namespace_only, 1}, {what_cannot_start_is_told, 1},
          {signals_are_forwarded, 1}, {forgotten_processes_are_counted, 1},
          {a_helper_makes_any_server_a_member, 2}, {memberships_of_programs_are_seen, 1},
          {packets_are_seen_before_the_lines_about_them, 1}, {kernels_do_not_answer_for_groups, 1},
          {receiving_sockets_are_counted, 1}, {kernels_take_their_addresses_before_time_begins, 1},
          {standard_streams_can_be_ours, 1})
