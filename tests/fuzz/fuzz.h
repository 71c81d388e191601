/* What a fuzz target offers, to libFuzzer or to replay.c. It aborts when it finds something, and
 * returns 0. */
#ifndef BATON_TESTS_FUZZ_H
#define BATON_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
