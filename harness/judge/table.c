/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge/table.h"

#include <stdlib.h>

void jdg_table_free(struct jdg_table *table) {
  free(table->slots);
  memset(table, 0, sizeof *table);
}

void jdg_table_clear(struct jdg_table *table) {
  if (table->used) memset(table->slots, 0, table->size * sizeof *table->slots);
  table->used = 0;
}

bool jdg_table_grow(struct jdg_table *table) {
  struct jdg_table larger = {.size = table->size ? 2 * table->size : 64};
  larger.slots = calloc(larger.size, sizeof *larger.slots);
  if (!larger.slots) return false;
  for (size_t i = 0; i < table->size; i++)
    if (table->slots[i].object)
      jdg_table_put(&larger, table->slots[i].hash, table->slots[i].object);
  free(table->slots);
  *table = larger;
  return true;
}

/* Closes the gap at |i| by moving back what probing would otherwise no longer reach. */
static void close_gap(struct jdg_table *table, size_t i) {
  size_t mask = table->size - 1;
  for (size_t j = (i + 1) & mask; table->slots[j].object; j = (j + 1) & mask) {
    size_t home = table->slots[j].hash & mask;
    if (((j - home) & mask) < ((j - i) & mask)) continue;
    table->slots[i] = table->slots[j];
    i = j;
  }
  table->slots[i].object = NULL;
}

void jdg_table_remove(struct jdg_table *table, uint64_t hash, const void *object) {
  struct jdg_slot *slot = jdg_table_slot(table, hash, object);
  if (!slot) return;
  close_gap(table, (size_t)(slot - table->slots));
  table->used--;
}
