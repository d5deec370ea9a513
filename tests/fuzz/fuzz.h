/*
 * fuzz: what every fuzz target gives; called by libFuzzer, or by replay.c with files.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
