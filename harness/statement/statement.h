/* SPDX-License-Identifier: BSD-2-Clause */
/* Conformance statements (ICS) of nodes, as YAML (docs/ics.md). */
#ifndef CHORUS_STATEMENT_H
#define CHORUS_STATEMENT_H

#include "judge/ics.h"
#include "scenario/document.h"
#include "text/text.h"

struct stm_statement {
  char name[64];                  /* node's name, or "" */
  bool has_address;               /* the node with this address */
  struct chorus_endpoint address; /* port 0: any */
  struct jdg_ics ics;             /* neither name nor address: every other node */
};

struct stm_statements {
  struct stm_statement *list;
  size_t count;
};

/* false: see |errors|. */
bool stm_read(struct stm_statements *statements, const char *path, struct scn_errors *errors);
bool stm_parse(struct stm_statements *statements, const char *path, const char *text, size_t length,
               struct scn_errors *errors);
/* Decodes one statement over |ics|: keys that are not there leave it alone, lists add to it. */
void stm_decode(struct scn_document *d, const scn_value *map, struct jdg_ics *ics);
void stm_free(struct stm_statements *statements);

/*
 * Appends the statement of the node |name| as it can be read back: what |ics| leaves open is left
 * out. The first line is STM_MARK.
 */
void stm_write(struct txt_buffer *out, const char *name, const struct jdg_ics *ics);
#define STM_MARK "# Statement (ICS) of this node; see docs/ics.md\n"
/* Whether |text| (no string) begins like one. */
bool stm_recognise(const char *text, size_t length);

#endif
