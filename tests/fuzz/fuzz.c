#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "fuzz.h"

#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz(data, size);
    return 0;
}

void fuzz_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int file = -1;
    if (file < 0) {
        file = memfd_create("input", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    MUST(!ftruncate(file, 0) && pwrite(file, data, size, 0) == (ssize_t)size);
    return path;
}

static char folder[256];

static void remove_folder(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command)) perror(folder);
}

const char *fuzz_path(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    if (!*folder) {
        const char *place = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", place ? place : "/tmp");
        MUST(mkdtemp(folder));
        atexit(remove_folder);
    }
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *fuzz_file_named(const char *name, const void *data, size_t size)
{
    const char *path = fuzz_path(name);
    const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    MUST(file >= 0 && write(file, data, size) == (ssize_t)size);
    close(file);
    return path;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = (char *)malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    return text;
}

char *fuzz_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    MUST(file && !fseek(file, 0, SEEK_END));
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = (char *)calloc(*size + 1, 1);
    MUST(fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

/* ---- What ends the program, and what it leaves behind ------------------------------------------------------------ */

/* The linker gives every call of exit, malloc, ... to __wrap_exit, ... (--wrap in the Makefile). */
void __real_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status) __attribute__((noreturn));
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void __real_free(void *block);
void __wrap_free(void *block);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);

static jmp_buf back;
static int armed; /* fuzz_survives is at work */
static int ended; /* the status with which the program would have ended */

/* Blocks that were allocated while armed, and files, by address; an open hash table. */
enum { SLOTS = 1 << 16 };
static struct {
    void *address; /* NULL: free; `gone`: was freed */
    int is_file;
} left[SLOTS];
static size_t used[SLOTS]; /* the places in `left` that are not free */
static size_t used_count;
static char gone[1];

static size_t place_of(const void *address)
{
    size_t at = (size_t)((uintptr_t)address * 0x9e3779b97f4a7c15u >> 48) % SLOTS;
    while (left[at].address && left[at].address != address) at = (at + 1) % SLOTS;
    return at;
}

static void *remember(void *address, int is_file)
{
    size_t at;
    if (!armed || !address) return address;
    at = place_of(address);
    if (!left[at].address) {
        if (used_count > SLOTS / 2) abort(); /* a target for larger things needs a larger table */
        used[used_count++] = at;
    }
    left[at].address = address;
    left[at].is_file = is_file;
    return address;
}

static void *forget(void *address)
{
    const size_t at = place_of(address);
    if (address && left[at].address) left[at].address = gone;
    return address;
}

void fuzz_forget(void)
{
    size_t i;
    for (i = 0; i < used_count; ++i) {
        void *address = left[used[i]].address;
        if (address == gone) continue;
        if (left[used[i]].is_file) __real_fclose((FILE *)address);
    }
    for (i = 0; i < used_count; ++i) {
        void *address = left[used[i]].address;
        if (address != gone && !left[used[i]].is_file) __real_free(address);
        left[used[i]].address = 0;
    }
    used_count = 0;
}

void *__wrap_malloc(size_t bytes)
{
    return remember(__real_malloc(bytes), 0);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return remember(__real_calloc(count, bytes), 0);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    void *other = __real_realloc(block, bytes);
    if (other) forget(block);
    return remember(other, 0);
}

void __wrap_free(void *block)
{
    __real_free(forget(block));
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    return (FILE *)remember(__real_fopen(path, mode), 1);
}

int __wrap_fclose(FILE *file)
{
    return __real_fclose((FILE *)forget(file));
}

void __wrap_exit(int status)
{
    if (!armed) __real_exit(status);
    ended = status;
    longjmp(back, 1);
}

int fuzz_survives(void (*run)(void *context), void *context)
{
    armed = 1;
    if (!setjmp(back)) {
        run(context);
        armed = 0;
        return 1;
    }
    armed = 0;
    MUST(ended == 1);
    return 0;
}
