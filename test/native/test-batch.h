/* A batch of ROWS rows of ROW_BYTES bytes, which the program defines before it includes this file. */
#ifndef WT_TEST_BATCH_H
#define WT_TEST_BATCH_H

#include "batch.h"

static uint8_t bytes[ROWS * ROW_BYTES];
static uint32_t offset[ROWS], length[ROWS], next[ROWS];
static uint8_t verdict[ROWS], traffic_class[ROWS], endpoint_bytes[ROWS * WT_ENDPOINT_BYTES];
static int32_t key_slot[ROWS], endpoint[ROWS];

static struct wt_batch batch = {.bytes = bytes,
                                .arena_bytes = sizeof bytes,
                                .offset = offset,
                                .length = length,
                                .verdict = verdict,
                                .key_slot = key_slot,
                                .traffic_class = traffic_class,
                                .endpoint = endpoint,
                                .endpoint_bytes = endpoint_bytes,
                                .next = next,
                                .capacity = ROWS};

#endif
