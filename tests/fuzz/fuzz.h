/* Fuzz targets: each is one file with a function fuzz() that feeds bytes to a reader, and calls MUST with what has to
 * hold besides that nothing crashes, hangs, or reads where it may not.
 *
 * `make fuzz` links every target with libFuzzer, which looks for new inputs; `make test` links it with replay.c, which
 * gives it the inputs that are kept (tests/fuzz/inputs, tests/fuzz.t).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The target. */
void fuzz(const uint8_t *data, size_t size);

/* Ends the program as a crash does, with the line that failed. */
#define MUST(holds) ((holds) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #holds))
void fuzz_failed(const char *file, int line, const char *what);

/* A file in memory with these bytes; returns its path, which is the same for every input. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* The path of a file in a folder of this process, which is removed at the end; static storage, valid for the next 3
 * calls. */
const char *fuzz_path(const char *name);

/* The same, and writes it. */
const char *fuzz_file_named(const char *name, const void *data, size_t size);

/* A file's bytes, which the caller frees; a zero follows them. */
char *fuzz_read(const char *path, size_t *size);

/* The input as text with a zero at its end, which the caller frees. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Runs what may end the program, as die() does: returns 1 if it came back, and 0 if it would have ended with status 1,
 * or by error() of Darknet; any other end is a failure. What it allocated, and did not free, is freed with
 * fuzz_forget(). */
int fuzz_survives(void (*run)(void *context), void *context);
void fuzz_forget(void);

#endif
