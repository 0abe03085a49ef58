/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures as they come: opened, recognised, and handed to the reader of their format. */
#include "capture/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/buffer.h"
#include "capture/pcapng.h"
#include "capture/writer.h"

enum cap_status reader_fail(struct cap_reader *reader, enum cap_status status, const char *format,
                            ...) {
  char words[320];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  snprintf(reader->message, sizeof reader->message, "%.120s: octet %zu, after frame %llu: %s",
           reader->path, reader->before + reader->at, (unsigned long long)reader->frame, words);
  return status;
}

static enum cap_status fail_whole(struct cap_reader *reader, enum cap_status status,
                                  const char *words) {
  snprintf(reader->message, sizeof reader->message, "%.120s: %s", reader->path, words);
  return status;
}

struct reader_interface *reader_add_interface(struct cap_reader *reader) {
  if (reader->interface_count == reader->interface_capacity) {
    size_t capacity = reader->interface_capacity ? 2 * reader->interface_capacity : 8;
    struct reader_interface **grown = realloc(reader->interfaces, capacity * sizeof *grown);
    if (!grown) return NULL;
    reader->interfaces = grown;
    reader->interface_capacity = capacity;
  }
  struct reader_interface *interface = calloc(1, sizeof *interface);
  if (interface) reader->interfaces[reader->interface_count++] = interface;
  return interface;
}

/* ---- opening ---- */

static enum cap_status read_all(struct cap_reader *reader, int fd) {
  struct buffer all = {0};
  for (;;) {
    uint8_t *room = buffer_extend(&all, 65536);
    if (!room) break;
    ssize_t got = read(fd, room, 65536);
    all.length -= got > 0 ? 65536 - (size_t)got : 65536;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      int error = errno;
      buffer_free(&all);
      return fail_whole(reader, CAP_IO, strerror(error));
    }
    if (got > 0) continue;
    reader->data = reader->owned = all.octets;
    reader->length = all.length;
    return CAP_OK;
  }
  buffer_free(&all);
  return fail_whole(reader, CAP_NO_MEMORY, "no memory");
}

/*
 * Files are mapped: a capture may be larger than memory, and its packets need no copy. Nobody may
 * cut the file short meanwhile; a tool that still writes to it only makes it longer.
 */
static enum cap_status read_descriptor(struct cap_reader *reader, int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0)
    return read_all(reader, fd);
  size_t length = (size_t)status.st_size;
  void *at = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) return read_all(reader, fd);
  posix_madvise(at, length, POSIX_MADV_SEQUENTIAL);
  reader->data = reader->mapping = at;
  reader->length = reader->mapped = length;
  return CAP_OK;
}

static enum cap_status read_path(struct cap_reader *reader, const char *path) {
  if (strcmp(path, "-") == 0) return read_descriptor(reader, STDIN_FILENO);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_whole(reader, CAP_IO, strerror(errno));
  enum cap_status status = read_descriptor(reader, fd);
  close(fd);
  return status;
}

static const char *why_not_capture(const uint8_t *p, size_t length) {
  if (length == 0) return "the file is empty";
  if (length >= 2 && p[0] == 0x1f && p[1] == 0x8b) return "compressed by gzip; decompress it first";
  if (length >= 4 && be32(p) == 0x28b52ffd) return "compressed by zstd; decompress it first";
  if (length >= 4 && be32(p) == 0x04224d18) return "compressed by lz4; decompress it first";
  return "neither pcap nor pcapng";
}

/* Recognises the format and reads up to the first packet. */
static enum cap_status start(struct cap_reader *reader) {
  if (pcap_recognise(reader->data, reader->length)) return pcap_start(reader);
  if (reader->length < 4 || be32(reader->data) != BLOCK_SECTION)
    return fail_whole(reader, CAP_NOT_CAPTURE, why_not_capture(reader->data, reader->length));
  enum cap_status status = pcapng_skip(reader);
  /* Once the section header was good, cap_next() comes upon the same fault, and tells it. */
  return reader->before + reader->at > 0 ? CAP_OK : status;
}

static struct cap_reader *reader_new(const char *path) {
  struct cap_reader *reader = calloc(1, sizeof *reader);
  if (!reader) return NULL;
  reader->path = strdup(path);
  if (reader->path) return reader;
  free(reader);
  return NULL;
}

/* Hands out |reader|, or frees it and says why. */
static struct cap_reader *opened(struct cap_reader *reader, enum cap_status result,
                                 enum cap_status *status, char *message, size_t size) {
  *status = result;
  if (result == CAP_OK) {
    if (size > 0) message[0] = '\0';
    return reader;
  }
  snprintf(message, size, "%s", reader ? reader->message : "no memory");
  cap_close(reader);
  return NULL;
}

struct cap_reader *cap_open(const char *path, enum cap_status *status, char *message, size_t size) {
  struct cap_reader *reader = reader_new(strcmp(path, "-") == 0 ? "standard input" : path);
  enum cap_status result = reader ? read_path(reader, path) : CAP_NO_MEMORY;
  if (result == CAP_OK) result = start(reader);
  return opened(reader, result, status, message, size);
}

struct cap_reader *cap_open_memory(const uint8_t *data, size_t length, enum cap_status *status,
                                   char *message, size_t size) {
  struct cap_reader *reader = reader_new("capture in memory");
  if (!reader) return opened(reader, CAP_NO_MEMORY, status, message, size);
  reader->data = data;
  reader->length = length;
  return opened(reader, start(reader), status, message, size);
}

struct cap_reader *cap_open_writer(const struct cap_writer *writer, enum cap_status *status,
                                   char *message, size_t size) {
  struct cap_reader *reader = reader_new("capture of this run");
  if (!reader) return opened(reader, CAP_NO_MEMORY, status, message, size);
  struct writer_view view;
  writer_view(writer, &view);
  reader->data = view.head;
  reader->length = view.head_length;
  reader->more = view.packets;
  reader->more_length = view.packets_length;
  return opened(reader, start(reader), status, message, size);
}

void cap_close(struct cap_reader *reader) {
  if (!reader) return;
  for (size_t i = 0; i < reader->interface_count; i++) free(reader->interfaces[i]);
  free(reader->interfaces);
  if (reader->mapping) munmap(reader->mapping, reader->mapped);
  order_free(reader->order);
  free(reader->owned);
  free(reader->path);
  free(reader);
}

/* ---- reading ---- */

enum cap_status cap_next(struct cap_reader *reader, struct cap_packet *packet) {
  if (reader->format == READER_PCAP) return pcap_next_record(reader, packet);
  return pcapng_next(reader, packet);
}

const char *cap_message(const struct cap_reader *reader) {
  return reader->message;
}

chorus_time cap_end(const struct cap_reader *reader) {
  return reader->end;
}

size_t cap_interface_count(const struct cap_reader *reader) {
  return reader->interface_count;
}

const struct cap_interface *cap_interface_get(const struct cap_reader *reader, uint32_t interface) {
  if (interface >= reader->interface_count) return NULL;
  return &reader->interfaces[interface]->public;
}
