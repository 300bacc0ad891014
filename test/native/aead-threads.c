/*
 * Seals and opens batches with helpers, over and over: what ThreadSanitizer is to watch. Exits with 0 if all came back.
 *
 *     aead-threads HELPERS ROUNDS
 *
 * scripts/sanitize.mjs compiles it together with native/{aead,cipher,pool}.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aead.h"

#define ROWS 200u
#define ROW_BYTES 1600u
#define SLOTS 5
#define TEXT_BYTES 300u
#define NO_ROW 7u

#include "test-batch.h"

static void fill(uint32_t round, const int32_t *slots) {
  for (uint32_t row = 0; row < ROWS; row++) {
    offset[row] = row * ROW_BYTES;
    length[row] = WT_MESSAGE_HEADER_BYTES + (row * 13 + round) % TEXT_BYTES;
    verdict[row] = row % NO_ROW == 0 ? 1 : WT_VERDICT_PASS;
    key_slot[row] = slots[row % SLOTS];
    memset(wt_row(&batch, row), (int)(row + round), length[row]);
  }
}

static int count_wrong(uint32_t round) {
  int wrong = 0;
  for (uint32_t row = 0; row < ROWS; row++) {
    bool is_bad = row % 11 == 1;
    bool is_left_out = row % NO_ROW == 0;
    uint8_t expected = is_left_out ? 1 : is_bad ? WT_VERDICT_BAD_TAG : WT_VERDICT_PASS;
    if (verdict[row] != expected) wrong++;
    if (is_left_out || is_bad) continue;
    for (uint32_t i = WT_MESSAGE_HEADER_BYTES; i < length[row] - WT_TAG_BYTES; i++)
      if (wt_row(&batch, row)[i] != (uint8_t)(row + round)) wrong++;
  }
  return wrong;
}

int main(int argc, char **argv) {
  struct wt_aead aead;
  int32_t slots[SLOTS];
  uint8_t key[WT_KEY_BYTES] = {0};
  uint32_t row = 0;
  int wrong = 0;
  if (argc != 3 || !wt_aead_create(&aead, (uint32_t)atoi(argv[1]))) return 1;
  for (int32_t i = 0; i < SLOTS; i++) {
    key[0] = (uint8_t)i;
    slots[i] = wt_aead_install(&aead, key, key);
  }
  for (uint32_t round = 0; round < (uint32_t)atoi(argv[2]); round++) {
    fill(round, slots);
    if (wt_aead_seal(&aead, &batch, ROWS) != WT_AEAD_OK) return 1;
    for (uint32_t i = 1; i < ROWS; i += 11) wt_row(&batch, i)[length[i] - 1] ^= 1;
    if (wt_aead_open(&aead, &batch, ROWS) != WT_AEAD_OK) return 1;
    wrong += count_wrong(round);
    if (round % 10 != 0) continue;
    wt_aead_wipe(&aead, slots[round % SLOTS]);
    slots[round % SLOTS] = wt_aead_install(&aead, key, key);
  }
  wt_aead_destroy(&aead);
  printf("%d wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
