/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs that the bench compares itself with, where they are installed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"

struct bench_peer {
  char folder[40];
  char program[60];
};

static bool exists(const char *path) {
  return access(path, R_OK) == 0;
}

static bool in_path(const char *program) {
  char command[200];
  snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
  return system(command) == 0;
}

/* Where the source of a peer is: in the tree, or installed. NULL: nowhere. */
static const char *find_source(const char *name, char path[600]) {
  static const char *const folders[] = {CHORUS_NS3_SOURCES, CHORUS_NS3_INSTALLED};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    snprintf(path, 600, "%s/%s", folders[i], name);
    if (exists(path)) return path;
  }
  return NULL;
}

static const char *missing(const char *source) {
  if (!exists("/usr/include/ns3.37/ns3/core-module.h") && !exists("/usr/include/ns3/core-module.h"))
    return "its headers are not installed (libns3-dev)";
  if (!in_path("g++")) return "there is no g++";
  if (!source) return "the source of the peer is not there";
  return NULL;
}

static bool compile(const struct bench_peer *peer, const char *source) {
  char command[2400];
  snprintf(command, sizeof command,
           "g++ -O2 -std=c++17 -I/usr/include/ns3.37 '%s' -o '%s' "
           "$(pkg-config --libs ns3-internet ns3-network ns3-core 2>/dev/null || "
           "echo -lns3.37-internet -lns3.37-network -lns3.37-core) >'%s/log' 2>&1 || "
           "g++ -O2 -std=c++17 '%s' -o '%s' -lns3-internet -lns3-network -lns3-core "
           ">>'%s/log' 2>&1",
           source, peer->program, peer->folder, source, peer->program, peer->folder);
  return system(command) == 0;
}

static struct bench_peer *make_peer(const char *name, char *why, size_t size) {
  char path[600];
  const char *source = find_source(name, path), *reason = missing(source);
  struct bench_peer *peer = reason ? NULL : calloc(1, sizeof *peer);
  if (!peer) {
    snprintf(why, size, "%s", reason ? reason : "no memory");
    return NULL;
  }
  snprintf(peer->folder, sizeof peer->folder, "/tmp/chorus-ns3-XXXXXX");
  if (mkdtemp(peer->folder)) {
    snprintf(peer->program, sizeof peer->program, "%s/peer", peer->folder);
    if (compile(peer, source)) return peer;
  }
  snprintf(why, size, "its program does not compile here");
  bench_ns3_free(peer);
  return NULL;
}

struct bench_peer *bench_ns3_new(char *why, size_t size) {
  return make_peer("ns3_peer.cc", why, size);
}

struct bench_peer *bench_ns3_real_time(char *why, size_t size) {
  return make_peer("ns3_real_time.cc", why, size);
}

const char *bench_peer_program(const struct bench_peer *peer) {
  return peer->program;
}

void bench_ns3_free(struct bench_peer *peer) {
  char path[80];
  if (!peer) return;
  snprintf(path, sizeof path, "%s/log", peer->folder);
  unlink(path);
  unlink(peer->program);
  rmdir(peer->folder);
  free(peer);
}

/* A second or two of work, after which ns-3's rate does not change any more. */
double bench_ns3_run(struct bench_peer *peer, uint64_t members, double *seconds, double *work) {
  char command[120];
  uint64_t requests = 100000 / members + 1;
  snprintf(command, sizeof command, "%s %llu %llu", peer->program, (unsigned long long)members,
           (unsigned long long)requests);
  FILE *pipe = popen(command, "r");
  if (!pipe) return 0;
  bool ok = fscanf(pipe, "%lf %lf", work, seconds) == 2;
  if (pclose(pipe) != 0 || !ok || *seconds <= 0) return 0;
  return *work / *seconds;
}

double bench_tshark_run(const char *path, uint64_t packets, double *seconds) {
  char command[300];
  if (!in_path("tshark")) return 0;
  snprintf(command, sizeof command, "tshark -r '%s' -Y coap -T fields -e coap.mid >/dev/null 2>&1",
           path);
  uint64_t start = bench_now();
  if (system(command) != 0) return 0;
  *seconds = (double)(bench_now() - start) / 1e9;
  return (double)packets / *seconds;
}
